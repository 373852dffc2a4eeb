import type { AppError } from "../../base/errors.ts";
import type { PruningBlock } from "../../model/run.ts";
import type { Held } from "../chain/with_state.ts";
import type { JobContext } from "../context.ts";
import type { Delivered } from "../deliver/deliver.ts";
import { blockOfRun } from "./doubt_of_runs.ts";
import { type Block, prune, type Pruned } from "./prune.ts";
import { tellPruned } from "./tell.ts";

/** What a backup has come to, as far as pruning after it depends on it. */
export interface Ended {
  archive: string;
  block: PruningBlock | undefined;
  alarms: readonly AppError[];
  deliveries: readonly Delivered[];
}

/** Prunes after a backup: only where that very backup was read back, and only where nothing is in doubt. */
export async function pruneAfter(context: JobContext, held: Held, ended: Ended): Promise<Pruned[]> {
  const pruned = await prune(context, held, {
    unread: "ignored",
    dryRun: false,
    run: ended.archive,
    blockAt: (destination) => blockOf(context, ended, destination),
  });
  tellPruned(context, pruned);
  return pruned;
}

function blockOf(
  { job }: JobContext,
  { block, alarms, deliveries }: Ended,
  destination: string,
): Block | undefined {
  if (alarms[0]) return { message: alarms[0].message, about: "trust" };
  if (block) return blockOfRun(job.name, block);
  const { state } = deliveries.find((one) => one.destination === destination)!;
  if (state === "read-back") return undefined;
  return {
    message: state === "failed" ? "this backup did not get there" : "this backup was not read back there",
  };
}
