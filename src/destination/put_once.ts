import { AppError, isAppError, throwIfCancelled } from "../base/errors.ts";
import { digestOf } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import type { Resendable } from "./contract.ts";

/** How a plugin does the steps of a `put`. */
export interface PutOnce {
  key: string;
  body: Resendable;
  signal: AbortSignal;
  /**
   * What is stored under the key, by a request that sees what was just written; undefined where nothing is. A thing
   * of that name that is none of our files throws `already-exists`. Left out where the credentials may only create.
   */
  look?(): Promise<{ size: number } | undefined>;
  /** All of what is stored under the key. */
  read?(): Promise<ReadableStream<Uint8Array>>;
  /**
   * Sends the body and publishes it by a request that never replaces anything; `already-exists` where it would have.
   * Returns only when the service has confirmed it.
   */
  send(): Promise<void>;
  /** Takes back what {@linkcode send} has published and nobody else has seen. */
  withdraw?(): Promise<void>;
}

/**
 * Stores a body at most once: looks before, sends, looks again. `stored` is what this call has published, `present`
 * what was there whole already, be it from an earlier run or from a request of this one whose answer was lost.
 *
 * @throws `already-exists` when the key holds anything else; `corrupt` when the service has kept another length than
 * it was sent, which is withdrawn; else the error of the step that failed.
 */
export async function putOnce(put: PutOnce): Promise<"stored" | "present"> {
  const before = await put.look?.();
  throwIfCancelled(put.signal);
  if (before) return await present(put, before);
  try {
    await put.send();
  } catch (error) {
    if (!isAppError(error, "already-exists", "transient") || !put.look) throw error;
    // Refused because somebody was faster, or cut off after it was carried out: either way it may be there, whole.
    const found = await put.look().catch((late) => {
      throw error.code === "transient" ? error : late;
    });
    if (!found) throw error.code === "transient" ? error : vanished(put.key);
    return await present(put, found);
  }
  await confirm(put);
  return "stored";
}

/** The service has said yes: is it so? */
async function confirm(put: PutOnce): Promise<void> {
  try {
    const after = await put.look?.();
    if (!put.look) return;
    if (!after) throw new AppError("corrupt", `${quoted(put.key)} was stored and is not there`);
    if (after.size !== put.body.size) {
      throw new AppError(
        "corrupt",
        `${quoted(put.key)} holds ${after.size} bytes instead of ${put.body.size}`,
      );
    }
  } catch (error) {
    // Not being able to look now says nothing against what was stored; the next try finds it.
    if (!isAppError(error, "transient", "cancelled")) await put.withdraw?.().catch(() => {});
    throw error;
  }
}

/** Returns when the key holds exactly the body; throws `already-exists` when it holds anything else. */
async function present(put: PutOnce, found: { size: number }): Promise<"present"> {
  const { key, body, read } = put;
  if (found.size === body.size && read && (await digestOf(await read())).sha256 === body.sha256) {
    return "present";
  }
  throw new AppError("already-exists", `${quoted(key)} exists already with other content`);
}

function vanished(key: string): AppError {
  return new AppError("transient", `${quoted(key)} was there a moment ago and is gone`);
}
