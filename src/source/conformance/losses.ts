/** What may become of things that could not be had. */
import { sha256Hex } from "../../base/hash.ts";
import type { Shortfall } from "../../model/shortfall.ts";
import { seededBody, TARGET, targetFile } from "./account.ts";
import { type Bench, check, found, type Reached, same } from "./bench.ts";

/** A body that could not be had at once: not a limit, not moved, and no success with other bytes than the file's. */
export function lostFile(bench: Bench, { error, item, body }: Reached, codes: string[] = []): void {
  if (error === undefined) {
    const file = found(item?.files[0], "the file");
    // Some doors have another way to the same bytes.
    if (body && sha256Hex(body) === sha256Hex(seededBody(targetFile))) return;
    check(body?.length !== file.size, `other bytes than the file's came as a success of ${file.size} bytes`);
    return;
  }
  const known = bench.mustBe(error, [], "the call for the file");
  const innocent = ["not-found", "unsupported", "cancelled"].includes(known.code);
  check(!innocent, `a file that is there failed as "${known.code}", which reads as if nothing were amiss`);
  // What refuses a file may be called otherwise; a quota and a dead network must be known for what they are.
  const [code, ...others] = codes;
  if (others.length === 0 && code !== undefined && code !== "denied") {
    bench.mustBe(error, [code], "the call for the file");
  }
}

/** Fails unless everything that the first vault lacks is named as a gap, by its id or as a whole. */
export function told(bench: Bench, { error, walked }: Reached): void {
  if (error !== undefined) return;
  const { items, shortfalls } = found(walked, "the walk");
  const unspecific = gaps(shortfalls).some(({ itemId }) => itemId === undefined);
  const lost = bench.shown(TARGET.vaultId).map(({ id }) => id).filter((id) => !items.has(id));
  check(lost.length > 0, "nothing was lost: the fault did nothing");
  const silent = unspecific ? [] : lost.filter((id) => !gaps(shortfalls).some(({ itemId }) => itemId === id));
  same(silent, [], "items that are lacking without a word");
}

export function gaps(shortfalls: readonly Shortfall[]): Shortfall[] {
  return shortfalls.filter(({ shortfall }) => shortfall === "gap");
}
