import { quoted } from "../../../../src/base/safe_names.ts";
import type { SourceContext } from "../../../../src/source/plugin.ts";
import { opFailure } from "./errors.ts";
import type { Op } from "./program.ts";

const UPDATE = "update the 1Password CLI: https://developer.1password.com/docs/cli/get-started";

/** The first version with service accounts. */
const WITH_SERVICE_ACCOUNTS = 18;

/** Refuses a program that is not the 1Password CLI of version 2; one of a later version is tried. */
export async function checkVersion(op: Op, { warn }: SourceContext, signal: AbortSignal): Promise<void> {
  const text = await op.text(["--version"], signal);
  const [version, major, minor] = /^v?(\d+)\.(\d+)\.\d\S*$/.exec(text) ?? [];
  if (version === undefined) {
    throw opFailure(
      "misconfigured",
      `the program ${quoted(op.options.program)} is not the 1Password CLI: it tells no version`,
      { hint: "another program has the name op too: say with program: where the 1Password CLI is" },
    );
  }
  if (Number(major) < 2) {
    throw opFailure("misconfigured", `op has version ${version}, and version 2 is needed`, { hint: UPDATE });
  }
  if (op.counted && Number(major) === 2 && Number(minor) < WITH_SERVICE_ACCOUNTS) {
    throw opFailure("misconfigured", `op has version ${version}, and service accounts need 2.18.0`, {
      hint: UPDATE,
    });
  }
  if (Number(major) > 2) {
    warn(`op has version ${version}, and only version 2 is known: it is tried all the same`);
  }
}
