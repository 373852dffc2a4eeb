/** What an archive says of a vault, or of all vaults together. Items are named by their paths in an archive. */
export interface ArchivedPart {
  /** Items in it, active and archived. */
  count: number;
  /** Which ones; absent where the archive was not opened. */
  items?: ReadonlySet<string>;
  /** Items that it names itself as lacking. */
  named: ReadonlySet<string>;
  /** So many more it says that it lacks, without their names. */
  lacking: number;
  /** It says itself that it holds this in part or not at all: whatever is missing is told by it already. */
  partial: boolean;
}

/** What looking at some of the items that the source holds now has shown. */
export interface Looked {
  /** Items last changed before the archive was begun, or at a time that nobody knows. */
  old: string[];
  /** So many were made or changed since. */
  since: number;
}

/** What is not the same in an archive and in the source. */
export interface Difference {
  /** Items that the archive says it holds. */
  archived: number;
  /** Items that the source lists now. */
  now: number;
  /** Older than the archive, and neither in it nor named by it; at least so many, where only numbers are compared. */
  missing: number;
  /** Looked at and passed over, because they were made or changed since. */
  since: number;
  /** Lacking, as the archive says itself. */
  named: number;
  /** In the archive and not listed any more: removed or moved since; at least so many, where only numbers are compared. */
  removed: number;
  /** The same by their paths, where those are compared. */
  missingItems: string[];
  removedItems: string[];
}

/** Items that have to be looked at: their age decides whether they are missing. */
export interface Suspects {
  items: ReadonlySet<string>;
  /** When so many of them turn out to be newer than the archive, none is missing; undefined: each has to be looked at. */
  enough?: number;
}

const NOTHING: ArchivedPart = { count: 0, named: new Set(), lacking: 0, partial: false };

/** Which of the items listed now the archive may lack; none in most vaults on most days. */
export function suspectsOf(archived: ArchivedPart = NOTHING, now: ReadonlySet<string>): Suspects {
  const { items, named, partial } = archived;
  if (partial) return { items: new Set() };
  if (archived !== NOTHING && !items) {
    const enough = now.size - archived.count - archived.lacking;
    return enough > 0 ? { items: now, enough } : { items: new Set() };
  }
  return { items: new Set([...now].filter((one) => !items?.has(one) && !named.has(one))) };
}

/**
 * Holds what an archive says against what is listed now. What is gone from the source is no difference to be alarmed
 * about: people remove things, and to keep them is what a backup is for. What is older than the archive and not in it is
 * one.
 */
export function differenceOf(
  archived: ArchivedPart = NOTHING,
  now: ReadonlySet<string>,
  { old, since }: Looked,
): Difference {
  const { count, items, named, lacking, partial } = archived;
  const common = { archived: count, now: now.size, since };
  if (items || archived === NOTHING) {
    const unknown = [...now].filter((one) => !items?.has(one));
    const removedItems = [...items ?? []].filter((one) => !now.has(one));
    return {
      ...common,
      missing: old.length,
      named: partial ? unknown.length : unknown.filter((one) => named.has(one)).length,
      removed: removedItems.length,
      missingItems: old,
      removedItems,
    };
  }
  const more = Math.max(0, now.size - count);
  return {
    ...common,
    missing: Math.max(0, old.length - count - lacking),
    named: partial ? more : Math.min(more, lacking),
    removed: Math.max(0, count - now.size),
    missingItems: [],
    removedItems: [],
  };
}

/** Whether something was made or changed at or after `moment` (milliseconds); what has no time counts as old. */
export function isSince(
  { createdAt, updatedAt }: { createdAt?: string; updatedAt?: string },
  moment: number,
): boolean {
  return [createdAt, updatedAt].some((time) => time !== undefined && Date.parse(time) >= moment);
}
