import { z } from "zod";
import { quoted } from "../../../src/base/safe_names.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";
import type { SourcePlugin } from "../../../src/source/plugin.ts";
import { addressProblem, isInClear, plainAddress } from "./address.ts";
import { ConnectApi } from "./api.ts";
import { ConnectClient } from "./client.ts";
import { ConnectSource } from "./source.ts";
import { checkToken, claimsOf } from "./token.ts";

const config = z.strictObject({
  url: z.string().superRefine((text, context) => {
    const message = addressProblem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }).meta({ description: "the address of the Connect server, such as https://connect.example:8443" }),
  token: secretReference.meta({ description: "a token of the Connect server" }),
  timeout: z.number().positive().max(3600).default(60).meta({
    description: "seconds without any answer after which a request to Connect is given up",
  }),
});

/** 1Password through a Connect server of one's own. */
export const onepasswordConnect: SourcePlugin = {
  type: "onepassword-connect",
  summary: "1Password through a Connect server, from its own copy of the vaults",
  config,
  async open(given, context, signal) {
    const { url, token: reference, timeout } = config.parse(given);
    const address = plainAddress(url);
    if (isInClear(address)) {
      context.warn(
        `the Connect token and all secrets travel in clear to ${quoted(new URL(address).host)}: ` +
          "use https, or a network that nobody else listens to",
      );
    }
    const token = await context.secret(reference, signal);
    checkToken(token.reveal());
    const client = new ConnectClient({
      address,
      token,
      agent: `vaultferry/${context.version}`,
      stallMs: timeout * 1000,
      world: context.world,
    });
    const source = new ConnectSource(new ConnectApi(client), claimsOf(token.reveal()), context.warn);
    // A wrong address or a refused token is known before any work.
    await source.vaults(signal);
    return source;
  },
};
