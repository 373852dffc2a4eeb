import type { JobState } from "../../host/state.ts";
import type { PruningBlock } from "../../model/run.ts";
import { pruningBlock } from "../../policy/guards/block.ts";
import { blockSentence } from "../../policy/guards/sentences.ts";
import type { JobContext } from "../context.ts";
import { remembered } from "../remembered.ts";
import type { Block } from "./prune.ts";

/** Why the last runs on this host forbid to remove anything; undefined where nothing is in doubt. */
export async function doubtOfRuns(context: JobContext, state: JobState): Promise<Block | undefined> {
  const { runs, lost } = await remembered(context, state);
  // A host that only prunes has made no backup that it could remember.
  if (lost !== undefined && runs.length > 0) {
    const message = `${lost}: the next backup has to be compared with something first`;
    return { message, about: "doubt" };
  }
  const block = pruningBlock(runs, state.accepted());
  return block && blockOfRun(context.job.name, block);
}

/** What a doubtful run means for pruning. */
export function blockOfRun(job: string, block: PruningBlock): Block {
  return { ...blockSentence(job, block), about: block.reason === "wrong-account" ? "trust" : "doubt" };
}
