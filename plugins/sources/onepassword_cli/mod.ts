import { z } from "zod";
import { secretReference } from "../../../src/model/secret_reference.ts";
import type { SourceContext, SourcePlugin } from "../../../src/source/plugin.ts";
import { OpAdministration } from "./administration.ts";
import { Bodies } from "./files/bodies.ts";
import { opFailure } from "./op/errors.ts";
import { Op } from "./op/program.ts";
import { CliSource } from "./source.ts";
import { checkVersion } from "./op/version.ts";

const config = z.strictObject({
  account: z.string().min(1).optional().meta({
    description: "which account, where op knows several: its sign-in address, e-mail address or id",
  }),
  token: secretReference.optional().meta({
    description: "a service account token (ops_…); left out: the 1Password app or a session of op",
  }),
  program: z.string().min(1).default("op").meta({ description: "the program: its name, or its path" }),
  timeout: z.number().positive().max(3600).default(120).meta({
    description: "seconds without any output after which a call of op is given up",
  }),
}).refine(({ account, token }) => account === undefined || token === undefined, {
  error: "has an account and a token: a token is for one account already",
  // Anything else that is wrong is said first.
  when: ({ issues }) => issues.length === 0,
});

/** 1Password through its command-line program. */
export const onepasswordCli: SourcePlugin = {
  type: "onepassword-cli",
  summary: "1Password through its program op: by the 1Password app, a session or a service account token",
  config,
  tokenKey: "token",
  async administer({ account, program = "op" }, context, signal) {
    sayWhatIsIgnored(context, undefined);
    const { timeout } = config.parse({});
    const op = new Op({ world: context.world, program, account, timeout: timeout * 1000 });
    await checkVersion(op, context, signal);
    return new OpAdministration(op);
  },
  async open(given, context, signal) {
    const { account, token: reference, program, timeout } = config.parse(given);
    const token = reference && (await context.secret(reference, signal)).reveal();
    if (token !== undefined && !/^ops_[A-Za-z0-9+/_-]+=*$/.test(token)) {
      throw opFailure("denied", "the 1Password token is not a service account token", {
        hint: 'a token begins with "ops_" and is one long line without spaces',
      });
    }
    sayWhatIsIgnored(context, token);
    const op = new Op({ world: context.world, program, account, token, timeout: timeout * 1000 });
    await checkVersion(op, context, signal);
    return new CliSource(op, new Bodies(op, context));
  },
};

/** The config decides how 1Password is reached, never an environment that somebody happens to have. */
function sayWhatIsIgnored({ world, warn }: SourceContext, token: string | undefined): void {
  if (token === undefined && world.env("OP_SERVICE_ACCOUNT_TOKEN") !== undefined) {
    warn(
      "OP_SERVICE_ACCOUNT_TOKEN is set and not used, because the config names no token " +
        "(token: env:OP_SERVICE_ACCOUNT_TOKEN would)",
    );
  }
}
