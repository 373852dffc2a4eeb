import { utf8 } from "../../../../src/base/bytes.ts";
import { type AppError, isAppError } from "../../../../src/base/errors.ts";
import type { Item } from "../../../../src/model/item.ts";
import type { Shortfall } from "../../../../src/model/shortfall.ts";
import { type Complaint, opFailure } from "../op/errors.ts";
import { toItem } from "./item.ts";
import { limitsOf } from "../limits.ts";
import { objectOf, parse, textOf } from "../op/json.ts";
import { splitObjects } from "../op/objects.ts";
import { type Op, OutOfTime } from "../op/program.ts";

/** Milliseconds that each id of a batch may cost before the first item comes. */
const PATIENCE = 200;

/** What has become of a batch. */
export interface Batch {
  /** How many items came. */
  came: number;
  /** Ids that did not come, in the order in which they were asked for. */
  missing: string[];
  /** Index in `missing` of the one at which `op` stopped; as many as are missing where it went through all of them. */
  stoppedAt: number;
  /** Why it ended as it did; undefined when `op` was content. */
  error: AppError | undefined;
}

/**
 * Items of a vault, all by one process: ids go in as a JSON list, objects come out one after the other. They are
 * yielded as they come; what did not come is returned, for nothing of a batch is lost because of what follows.
 *
 * @throws what makes any further call pointless: a used-up quota, a refused sign-in, `op` missing, cancelled
 */
export async function* batch(
  op: Op,
  vaultId: string,
  ids: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Item | Shortfall, Batch> {
  const left = new Set(ids);
  const places = new Map(ids.map((id, place) => [id, place]));
  let last = -1;
  let error: AppError | undefined;
  let said: Complaint | undefined;
  const stdin = utf8(JSON.stringify(ids.map((id) => ({ id, vault: { id: vaultId } }))));
  const args = ["item", "get", "-", "--vault", vaultId, "--include-archive", "--format", "json"];
  try {
    await using call = op.start(args, signal, { stdin, patience: ids.length * PATIENCE });
    for await (const bytes of splitObjects(call.stdout)) {
      const item = understood(vaultId, bytes);
      // An answer that nobody asked for, or that came twice, or is no item, is none.
      if (!item || !left.delete(item.id)) continue;
      last = Math.max(last, places.get(item.id) ?? -1);
      yield item;
      yield* limitsOf(item);
    }
    said = op.judge(await call.ended);
    error = said?.error;
  } catch (caught) {
    const known = op.translated(caught);
    if (!isAppError(known, "corrupt", "transient", "unknown")) throw known;
    error = known;
  }
  if (error && (said?.final || isAppError(error, "quota"))) throw error;
  const missing = [...left];
  const after = error ? missing.findIndex((id) => places.get(id)! > last) : -1;
  // Where it names an id, it has given up at that one, even if others before it did not come either.
  const named = missing.findIndex((id, index) => index >= after && said?.ids.has(id));
  const came = ids.length - missing.length;
  return { came, missing, stoppedAt: after < 0 ? missing.length : named < 0 ? after : named, error };
}

/** One item, by a process of its own. */
export async function single(op: Op, vaultId: string, id: string, signal: AbortSignal): Promise<Item> {
  const args = ["item", "get", id, "--vault", vaultId, "--include-archive"];
  const json = objectOf(await op.json(args, signal));
  if (textOf(json.id) === id) return toItem(vaultId, json);
  throw opFailure("unknown", "op answered with another item than the one asked for");
}

/** Whether a failed batch is worth another try as it is. */
export function isPassing(error: AppError | undefined): boolean {
  return isAppError(error, "transient") && !(error instanceof OutOfTime);
}

function understood(vaultId: string, bytes: Uint8Array): Item | undefined {
  try {
    const json = objectOf(parse(bytes));
    return textOf(json.id) === "" ? undefined : toItem(vaultId, json);
  } catch {
    return undefined; // its id is asked for again, and then it is said what is wrong with it
  }
}
