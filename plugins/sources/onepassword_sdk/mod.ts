import { arch, type } from "node:os";
import { z } from "zod";
import { AppError } from "../../../src/base/errors.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";
import type { SourcePlugin } from "../../../src/source/plugin.ts";
import { Core } from "./core.ts";
import { SdkSource } from "./source.ts";
import { accountOf } from "./token.ts";

const config = z.strictObject({
  token: secretReference.meta({ description: "the service account token (ops_…)" }),
  timeout: z.number().positive().max(3600).default(60).meta({
    description: "seconds without any answer after which a request to 1Password is given up",
  }),
});

/** 1Password through its official SDK, with a service account token. */
export const onepasswordSdk: SourcePlugin = {
  type: "onepassword-sdk",
  summary: "1Password through its official SDK, with a service account token",
  config,
  async open(given, context, signal) {
    const { token: reference, timeout } = config.parse(given);
    const token = (await context.secret(reference, signal)).reveal();
    if (!/^ops_[A-Za-z0-9+/_-]+=*$/.test(token)) {
      throw new AppError("denied", "the 1Password token is not a service account token", {
        hint: 'a token begins with "ops_" and is one long line without spaces',
        origin: "source",
      });
    }
    const core = new Core(
      {
        serviceAccountToken: token,
        programmingLanguage: "JS",
        sdkVersion: "0050002", // the build number of @1password/sdk 0.5.0
        integrationName: "vaultferry",
        integrationVersion: `v${context.version}`,
        requestLibraryName: "Fetch API",
        requestLibraryVersion: "Fetch API",
        os: osName(),
        osVersion: "0.0.0",
        architecture: arch(),
      },
      timeout * 1000,
      context.world.clock,
    );
    try {
      await core.signIn(signal);
    } catch (error) {
      await core[Symbol.asyncDispose]();
      throw error;
    }
    return new SdkSource(core, accountOf(token));
  },
};

/** The operating system's name as the SDK words it. */
function osName(): string {
  const name = type().toLowerCase();
  return name === "windows_nt" ? "windows" : name;
}
