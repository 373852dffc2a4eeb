import type { World } from "../../../../src/base/world.ts";
import type { SourceContext } from "../../../../src/source/plugin.ts";
import type { Account } from "../../../../src/model/vault.ts";
import type { Core } from "../core.ts";

/** Milliseconds after which a person is told what is waited for: the app's prompt may be behind a window. */
const REMIND_AFTER = 20_000;

/** Signs in through the app, which asks a person. */
export async function signInByApp(core: Core, context: SourceContext, signal: AbortSignal): Promise<void> {
  const { world, warn } = context;
  if (!world.terminal.interactive) {
    warn(
      "this job signs in through the 1Password app, which asks a person each time: " +
        "for a timer use a service account (token:)",
    );
  }
  const answered = new AbortController();
  const reminded = remind(world, warn, AbortSignal.any([signal, answered.signal]));
  try {
    await core.signIn(signal);
  } finally {
    answered.abort();
    await reminded;
  }
}

async function remind(world: World, warn: SourceContext["warn"], signal: AbortSignal): Promise<void> {
  try {
    await world.clock.sleep(REMIND_AFTER, signal);
  } catch {
    return; // answered in time, or given up
  }
  warn(
    "waiting for the 1Password app: approve its prompt; where it shows none, quit the app and open it again",
  );
}

/** The account as the config names it: the app tells nothing more of it. */
export function accountInApp(name: string): Account {
  return /^[A-Za-z0-9]{26}$/.test(name) ? { id: name } : { name };
}
