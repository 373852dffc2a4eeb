import { isAppError } from "../../base/errors.ts";
import type { SignedManifest } from "../../archive/chain.ts";
import { nameOf } from "../../archive/manifest.ts";
import { Sent } from "../../host/sent.ts";
import type { JobState } from "../../host/state.ts";
import { type JobContext, stateOf } from "../context.ts";

/** How a copy has ended up: every byte came back, or nobody here can ask for it. */
export type Ended = "read-back" | "sent";

/** What this host knows of the copies of its own archives. */
export class Ledger {
  private constructor(readonly state: JobState, readonly sent: Sent) {}

  /** A damaged list of what was sent stops no backup: what it named is sent again, and found to be there. */
  static async load(context: JobContext, state: JobState): Promise<Ledger> {
    const folder = stateOf(context);
    try {
      return new Ledger(state, await Sent.load(context.world, folder));
    } catch (error) {
      if (!isAppError(error, "corrupt")) throw error;
      const message = `${error.message}: what was sent to destinations that are not read back is sent again`;
      context.emit({ event: "warning", job: context.job.name, code: "sent", message });
      return new Ledger(state, Sent.none(context.world, folder));
    }
  }

  /** What has become of the copy of an entry at a destination, as far as it is known here. */
  knows(destination: string, { manifest }: SignedManifest): Ended | undefined {
    const { sequence } = manifest;
    if (this.#isOurs(manifest) && this.state.hasReceipt(destination, sequence)) return "read-back";
    return this.sent.has(destination, nameOf(manifest)) ? "sent" : undefined;
  }

  /** Notes it, durably; no receipt of an entry of a chain that was set aside, whose archive simply leaves the spool. */
  async note(destination: string, { manifest }: SignedManifest, ended: Ended): Promise<void> {
    const { sequence } = manifest, ours = this.#isOurs(manifest);
    // The number of another chain would read as one that this chain has lost.
    if (ended === "sent") await this.sent.add(destination, nameOf(manifest), ours ? sequence : 0);
    else if (ours) await this.state.addReceipt(destination, sequence);
  }

  /** Receipts count by numbers, which are of one chain. */
  #isOurs({ chain }: SignedManifest["manifest"]): boolean {
    return chain === this.state.head?.chain;
  }
}
