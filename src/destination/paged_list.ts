import { AppError, cancellation } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import { refuseUnlessAble } from "./access.ts";
import type { Capabilities, Stored } from "./contract.ts";
import { named, type Speaker, withName } from "./errors.ts";
import { foldersOfPrefix, isKey } from "./keys.ts";

/** Some names in a bucket or container, and where the next ones begin; undefined after the last. */
export interface Page {
  found: readonly { name: string; size: number }[];
  next: string | undefined;
}

/** A list that a service gives page by page. */
export interface PagedList {
  destination: Speaker & { can: Capabilities };
  /** Of the keys that are asked for. */
  prefix: string;
  /** What stands before every key in the service's names. */
  before: string;
  signal: AbortSignal;
  /** One page of the names that begin with `before` and `prefix`; `from` is the last page's `next`. */
  page(from: string | undefined): Promise<Page>;
}

/** Every key of ours in all pages, or throws: a list that turns in a circle would never be known to be whole. */
export async function* listPages(list: PagedList): AsyncGenerator<Stored> {
  const { destination, prefix, before, signal } = list;
  const seen = new Set<string>();
  for (let next: string | undefined, more = true; more; more = next !== undefined) {
    const from = next;
    const page = await named(destination, `list ${quoted(prefix)}`, signal, async () => {
      refuseUnlessAble(destination.can, "list");
      foldersOfPrefix(prefix);
      return checked(await list.page(from), list, seen);
    });
    for (const { name, size } of page.found) {
      if (signal.aborted) throw withName(destination, `list ${quoted(prefix)}`, cancellation(signal));
      const key = name.slice(before.length);
      if (isKey(key)) yield { key, size };
    }
    next = page.next;
  }
}

function checked(page: Page, { before, prefix }: PagedList, seen: Set<string>): Page {
  // An answer to another question is no list of ours.
  if (page.found.some(({ name }) => !name.startsWith(before + prefix))) {
    throw new AppError("transient", "the list holds names that were not asked for");
  }
  if (page.next !== undefined && seen.has(page.next)) {
    throw new AppError("transient", "the list does not come to its end: the same page came twice");
  }
  if (page.next !== undefined) seen.add(page.next);
  return page;
}
