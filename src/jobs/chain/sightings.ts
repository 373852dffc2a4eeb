/** What clocks of two hosts may differ by, in milliseconds, before an older time is taken for one. */
const GRACE = 24 * 3_600_000;

/** Where the chains that this state does not know were seen, and since when they say they are. */
export class Sightings {
  readonly #seen = new Map<string, { at: Set<string>; oldest: number }>();

  /** Notes an entry of a chain at a destination; a stranger's has no time that counts, anybody could write one. */
  note(destination: string, chain: string, time?: Date): void {
    const { at, oldest } = this.#seen.get(chain) ?? { at: new Set<string>(), oldest: Infinity };
    this.#seen.set(chain, { at: at.add(destination), oldest: Math.min(oldest, time?.getTime() ?? Infinity) });
  }

  /**
   * Whether a chain was at its destinations before this host's own: what two hosts write beside each other from the
   * start is a matter of `signers:`, what was there before may be this host's own past.
   *
   * @param own when this host's chain began (undefined before its first entry, or where that cannot be read), and
   * whether it has ever come to a destination.
   */
  wasBefore(
    chain: string,
    own: { began: Date | undefined; hasReached(destination: string): boolean },
  ): boolean {
    const seen = this.#seen.get(chain);
    if (!seen) return false;
    // A destination can take the first backup although it did not answer when it was looked at.
    if (own.began && seen.oldest < own.began.getTime() - GRACE) return true;
    return ![...seen.at].some((destination) => own.hasReached(destination));
  }
}
