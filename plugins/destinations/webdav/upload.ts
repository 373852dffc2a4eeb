import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { aftermath } from "../../../src/destination/aftermath.ts";
import { streamed } from "../../../src/destination/body.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { isPartialOf, partialName } from "../../../src/destination/keys.ts";
import type { Dav } from "./dav.ts";
import { makeFolder, move, removeFile } from "./changes.ts";
import { contentsOf } from "./places.ts";

/** What is to be stored, and where. */
export interface Upload {
  parts: readonly string[];
  body: Resendable;
  signal: AbortSignal;
  /** Hidden names of puts of this opening that have failed, and that may not all be gone; new ones are added. */
  left: Set<string>;
}

/**
 * Milliseconds after which somebody else's hidden file is no sign of life any more: longer than anything may stand
 * still.
 */
const DEAD = 10 * 60_000;

/** Milliseconds in which a server notices that a connection has gone. */
const SOON = 300;

/**
 * Sends the body to a hidden name, looks whether all of it is there, and moves it to its own name; `withdraw` takes that
 * back.
 *
 * Not every server minds `Overwrite: F`, and those that do look and move in two steps. So everybody who is about to
 * publish is to be seen: whoever finds the hidden file of somebody else when his own is there gives way. Of two at
 * least one finds the other's hidden file, or what it has become.
 *
 * @throws `already-exists` where the name is taken; `transient` where somebody else is at work on it; `corrupt` where
 * the server has kept anything else than what was sent
 */
export async function upload(dav: Dav, one: Upload): Promise<{ withdraw(): Promise<void> }> {
  const { parts, signal } = one;
  await makeFolder(dav, parts.slice(0, -1), signal);
  const hidden = await retry(() => send(dav, one), { clock: dav.parts.clock, signal });
  try {
    await refuseUnlessAlone(dav, one, hidden.at(-1)!);
    throwIfCancelled(signal);
    await move(dav, hidden, parts, signal);
  } catch (error) {
    await clear(dav, one, hidden);
    throw error;
  }
  // A server that only said so has moved nothing.
  const withdraw = async () => {
    await removeFile(dav, parts, aftermath(signal)).finally(() => clear(dav, one, hidden));
  };
  return { withdraw };
}

/** Sends the body to a new hidden name: one that failed may still be written to by what is under way. */
async function send(dav: Dav, one: Upload): Promise<string[]> {
  const { parts, body, signal } = one, { addresses, random } = dav.parts, key = parts.join("/");
  const hidden = [...parts.slice(0, -1), partialName(parts.at(-1)!, random(8))];
  try {
    const answer = await dav.once(addresses.of(hidden, false), {
      method: "PUT",
      what: quoted(key),
      signal,
      headers: { "content-length": String(body.size), "content-type": "application/octet-stream" },
      body: () => streamed(key, body, signal),
      fine: [200, 201, 204],
    });
    await answer.body?.cancel();
    return hidden;
  } catch (error) {
    await clear(dav, one, hidden);
    if (!isAppError(error, "not-found")) throw error;
    throw new AppError("transient", `the folder of ${quoted(key)} has vanished`, { cause: error });
  }
}

/** Looks at what was sent, and who else is there. */
async function refuseUnlessAlone(dav: Dav, { parts, body, signal, left }: Upload, hidden: string) {
  const name = parts.at(-1)!, what = quoted(parts.join("/"));
  const wanted = (one: string) => one === name || isPartialOf(name, one);
  const found = await contentsOf(dav, parts.slice(0, -1), wanted, signal);
  const sent = found?.entries.get(hidden);
  if (!found || sent?.kind !== "file") {
    throw new AppError("transient", `another run took away the unfinished ${what}`);
  }
  if (sent.size !== body.size) {
    throw new AppError("corrupt", `the server has kept ${sent.size} of the ${body.size} bytes of ${what}`);
  }
  if (found.entries.has(name)) throw new AppError("already-exists", `${what} exists already`);
  for (const [other, { modified }] of found.entries) {
    if (other === hidden || left.has(other)) continue;
    const age = found.now && modified ? found.now.getTime() - modified.getTime() : 0;
    if (age < DEAD) throw new AppError("transient", `somebody else is about to store ${what}`);
  }
}

/**
 * Removes a hidden file, as far as that can be done in the time that an abort leaves; for the rest there is `discard`.
 * A server may make it only after it was told to remove it, so it is told again.
 */
async function clear(dav: Dav, { signal, left }: Upload, hidden: readonly string[]): Promise<void> {
  left.add(hidden.at(-1)!);
  const until = aftermath(signal);
  try {
    if (await removeFile(dav, hidden, until)) return;
    await dav.parts.clock.sleep(SOON, until);
    await removeFile(dav, hidden, until);
  } catch {
    // The failure that led here matters more.
  }
}
