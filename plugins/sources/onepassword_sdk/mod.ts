import { arch, type } from "node:os";
import { z } from "zod";
import { AppError } from "../../../src/base/errors.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";
import type { SourceContext, SourcePlugin } from "../../../src/source/plugin.ts";
import { Core } from "./core.ts";
import { findLibrary, LIBRARIES } from "./desktop/library.ts";
import { appMeanings } from "./desktop/meanings.ts";
import { accountInApp, signInByApp } from "./desktop/sign_in.ts";
import { APP_LIMITS, TOKEN_LIMITS } from "./limits.ts";
import type { CoreConfig, Start } from "./protocol.ts";
import { SdkSource } from "./source.ts";
import { accountOf } from "./token.ts";
import { type Meanings, tokenMeanings } from "./translate.ts";

const config = z.strictObject({
  token: secretReference.optional().meta({ description: "the service account token (ops_…)" }),
  desktop: z.strictObject({
    account: z.string().min(1).max(200).meta({
      description: "the account in the 1Password app: its name as the app shows it, or its id",
    }),
  }).optional().meta({
    description:
      "in place of a token: sign in through the 1Password app on this machine, which asks a person",
  }),
  timeout: z.number().positive().max(3600).default(60).meta({
    description: "seconds without any answer after which a request to 1Password is given up",
  }),
}).refine(({ token, desktop }) => (token === undefined) !== (desktop === undefined), {
  error: "needs either token: or desktop:, and not both",
  // A key that is unknown or of the wrong form is said already.
  when: ({ issues }) => issues.length === 0,
});

type Config = z.infer<typeof config>;

/** 1Password through its official SDK; signs in with a service account token, or through 1Password's app. */
export const onepasswordSdk: SourcePlugin = sdkPlugin(LIBRARIES);

/** The plugin, with the places where it looks for the library of 1Password's app. */
export function sdkPlugin(libraries: typeof LIBRARIES): SourcePlugin {
  return {
    type: "onepassword-sdk",
    summary: "1Password through its official SDK, with a service account token or the 1Password app",
    config,
    tokenKey: "token",
    async open(given, context, signal) {
      const { token, desktop, timeout } = config.parse(given);
      const stallMs = timeout * 1000;
      if (desktop) return await throughApp(desktop, stallMs, libraries, context, signal);
      if (token) return await withToken(token, stallMs, context, signal);
      throw new AppError("misconfigured", "the source needs either token: or desktop:", { origin: "source" });
    },
  };
}

async function withToken(
  reference: NonNullable<Config["token"]>,
  stallMs: number,
  context: SourceContext,
  signal: AbortSignal,
): Promise<SdkSource> {
  const token = (await context.secret(reference, signal)).reveal();
  if (!/^ops_[A-Za-z0-9+/_-]+=*$/.test(token)) {
    throw new AppError("denied", "the 1Password token is not a service account token", {
      hint: 'a token begins with "ops_" and is one long line without spaces',
      origin: "source",
    });
  }
  const start: Start = { config: { ...clientConfig(context), serviceAccountToken: token }, stallMs };
  const core = await signedIn(start, tokenMeanings, context, (core) => core.signIn(signal));
  return new SdkSource(core, accountOf(token), TOKEN_LIMITS);
}

async function throughApp(
  { account }: NonNullable<Config["desktop"]>,
  stallMs: number,
  libraries: typeof LIBRARIES,
  context: SourceContext,
  signal: AbortSignal,
): Promise<SdkSource> {
  const library = await findLibrary(context.world, libraries);
  const start: Start = { config: { ...clientConfig(context), accountName: account }, stallMs, library };
  const core = await signedIn(start, appMeanings, context, (core) => signInByApp(core, context, signal));
  return new SdkSource(core, accountInApp(account), APP_LIMITS);
}

async function signedIn(
  start: Start,
  meanings: Meanings,
  context: SourceContext,
  signIn: (core: Core) => Promise<void>,
): Promise<Core> {
  const core = new Core({ start, meanings, clock: context.world.clock });
  try {
    await signIn(core);
    return core;
  } catch (error) {
    await core[Symbol.asyncDispose]();
    throw error;
  }
}

function clientConfig(context: SourceContext): CoreConfig {
  return {
    serviceAccountToken: "",
    programmingLanguage: "JS",
    sdkVersion: "0050002", // the build number of @1password/sdk 0.5.0
    integrationName: "vaultferry",
    integrationVersion: `v${context.version}`,
    requestLibraryName: "Fetch API",
    requestLibraryVersion: "Fetch API",
    os: osName(),
    osVersion: "0.0.0",
    architecture: arch(),
  };
}

/** The operating system's name as the SDK words it. */
function osName(): string {
  const name = type().toLowerCase();
  return name === "windows_nt" ? "windows" : name;
}
