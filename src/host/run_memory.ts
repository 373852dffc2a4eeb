import { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import type { Run } from "../model/run.ts";

/**
 * What this host remembers of a job's earlier runs, to compare the next one with:
 *
 *     <state>/<job>/runs.json    {"v": 1, "runs": [{run, time, outcome, items, …, vaults: [{id, active, …}]}, …]}
 *
 * Ids and numbers only. It is no proof of anything (the chain is); losing it loses a comparison.
 */

/** Thousands of vaults for a year stay below it; a longer file is not ours. */
const LIMIT = 64 * 1024 * 1024;

const count = z.int().nonnegative();
const ids = z.array(z.string());

const tally = z.object({
  id: z.string(),
  active: count,
  archived: count,
  files: count,
  lacking: count.exactOptional(),
  unread: z.boolean().exactOptional(),
});

const run = z.object({
  run: z.string(),
  time: z.iso.datetime(),
  outcome: z.enum(["complete", "incomplete", "suspicious", "refused"]),
  sequence: z.int().positive().exactOptional(),
  size: count.exactOptional(),
  items: count,
  archived: count,
  files: count,
  gaps: count,
  account: z.string().exactOptional(),
  vaults: z.array(tally).exactOptional(),
  excluded: ids.exactOptional(),
  expected: z.object({ seen: ids, missing: ids }).exactOptional(),
  noBaseline: z.boolean().exactOptional(),
  lastTry: z.iso.datetime().exactOptional(),
});

const stored = z.object({ v: z.literal(1), runs: z.array(run) });

/** Where the memory of the job with this state folder lies. */
export function memoryPath(folder: string): string {
  return `${folder}/runs.json`;
}

/**
 * The runs remembered in a job's state folder, in their order; `undefined` where there is no memory.
 *
 * @throws `corrupt` when it is damaged, and what the file system says when it cannot be read.
 */
export async function readRuns(world: World, folder: string): Promise<Run[] | undefined> {
  const path = memoryPath(folder);
  let bytes: Uint8Array;
  try {
    bytes = await world.files.read(path, LIMIT);
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
  try {
    return stored.parse(JSON.parse(fromUtf8(bytes, "the file"))).runs;
  } catch (cause) {
    throw new AppError("corrupt", `${quoted(path)} is damaged`, { cause });
  }
}

/** Replaces the memory, durably; the job's lock must be held. */
export async function writeRuns(world: World, folder: string, runs: readonly Run[]): Promise<void> {
  const text = runs.map((one) => `\n${JSON.stringify(one)}`).join(",");
  await writeDurably(world, memoryPath(folder), utf8(`{"v":1,"runs":[${text}\n]}\n`), {
    mode: "replace",
    bits: 0o600,
  });
}
