import { AppError, isAppError } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { refusal } from "../../../src/destination/http/refusal.ts";
import type { Dav } from "./dav.ts";
import { readMultistatus } from "./multistatus.ts";
import { find, mustHavePlace } from "./places.ts";

/** Makes a folder and those above it, but never our own: that one must be there. */
export async function makeFolder(dav: Dav, parts: readonly string[], signal: AbortSignal): Promise<void> {
  if (parts.length === 0) return await mustHavePlace(dav, signal);
  const what = quoted(parts.join("/")),
    there = async () => {
      const found = await find(dav, parts, true, signal);
      if (found?.kind !== "file") return found !== undefined;
      throw new AppError("misconfigured", `${what} is a file, so nothing can be stored below it`);
    };
  if (await there()) return;
  await makeFolder(dav, parts.slice(0, -1), signal);
  try {
    const answer = await dav.call(dav.parts.addresses.of(parts, true), {
      method: "MKCOL",
      what,
      signal,
      fine: [200, 201, 405],
    });
    await answer.body?.cancel();
    if (answer.status !== 405) return;
  } catch (error) {
    // Who comes second is told all sorts of things; what counts is that it is there.
    if (!isAppError(error, "transient", "denied", "unknown") || !await there()) throw error;
    return;
  }
  if (!await there()) throw new AppError("transient", `the folder ${what} can neither be made nor found`);
}

/**
 * Gives a file another name in the same folder; `already-exists` where that is taken, `transient` where nobody knows
 * any more whether it was done.
 */
export async function move(
  dav: Dav,
  from: readonly string[],
  to: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { addresses, clock } = dav.parts, target = addresses.of(to, false);
  const what = quoted(to.join("/"));
  const ask = async (destination: string): Promise<Response> => {
    const answer = await dav.once(addresses.of(from, false), {
      method: "MOVE",
      what,
      signal,
      headers: { destination, overwrite: "F" },
      fine: [200, 201, 204, 207, 404, 502],
    });
    return answer;
  };
  await retry(async () => {
    let answer = await ask(target.href);
    for (const other of [target.href.replace(/^https:/, "http:"), target.pathname]) {
      // A server behind a proxy may not recognise itself in the address that we know it by.
      if (answer.status !== 502) break;
      await answer.body?.cancel();
      answer = await ask(other);
    }
    const { status } = answer;
    if (status === 207) throw await inside(dav, answer, what);
    if (status === 502) throw await dav.refused(answer, { what });
    await answer.body?.cancel();
    // Done by an earlier try whose answer was lost, or taken away by somebody: whoever looks will know.
    return status !== 404;
  }, { clock, signal }).then((done) => {
    if (!done) throw new AppError("transient", `the unfinished ${what} is gone`);
  });
}

/** Removes a file, never what may be a folder; false where it was not there, which is fine. */
export async function removeFile(dav: Dav, parts: readonly string[], signal: AbortSignal): Promise<boolean> {
  const what = quoted(parts.join("/"));
  const answer = await dav.call(dav.parts.addresses.of(parts, false), {
    method: "DELETE",
    what,
    signal,
    fine: [200, 204, 207, 404],
  });
  if (answer.status === 207) throw await inside(dav, answer, what);
  await answer.body?.cancel();
  return answer.status !== 404;
}

/** The error that a multistatus holds in the place of a yes. */
async function inside(dav: Dav, answer: Response, what: string): Promise<AppError> {
  let worst = 0;
  await readMultistatus(answer.body, ({ status }) => void (worst = Math.max(worst, status ?? 0)));
  const { place, parts: { clock } } = dav, problem = { code: undefined, message: undefined };
  return refusal(worst, answer.headers, problem, {
    what,
    place,
    now: clock.now(),
    statuses: { 404: "transient" },
  });
}
