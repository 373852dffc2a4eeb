/** Words longer than this are no typing slips, and comparing them would take long. */
const LONGEST = 64;

/**
 * The candidate that `word` was probably meant to be: at most 2 slips away, or a third of its length, upper and
 * lower case being one. Undefined where none is near: a wrong guess is worse than none.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  let best: string | undefined;
  // A word that shares no letter with the candidate is not a slip of it, however short both are.
  let distance = Math.min(Math.max(2, Math.floor(word.length / 3)), word.length - 1) + 1;
  for (const candidate of candidates) {
    if (candidate.length > LONGEST) continue;
    const found = slips(word.toLowerCase(), candidate.toLowerCase());
    if (found < distance && found < candidate.length) [best, distance] = [candidate, found];
  }
  return best;
}

/** Damerau-Levenshtein distance: letters added, left out, mistaken, or two neighbours swapped. */
export function slips(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      }
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length]!;
}
