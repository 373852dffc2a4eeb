import type { Item } from "../../model/item.ts";
import type { Shortfall } from "../../model/shortfall.ts";
import { isWhole, type Told } from "./told.ts";

/**
 * The fuller of what two doors tell of one item; `first` is of the door that is asked first. Contents win over a
 * mere mention, and over contents with something lacking where they are not older. Contents that are older, or may
 * be, are better than none, and are a limit. What one door lacks of an item that another gives is lacking no more;
 * any other gap stays, and so does one of the second door, which was asked because it should have given more.
 */
export function fuller(first: Told, second: Told): Told {
  if (second.item?.contents !== "full") return joined(first, second);
  const age = first.item ? ageOf(second.item, first.item) : undefined;
  const fresh = age === undefined ? second.door.live : age >= 0;
  if (first.item?.contents === "full") {
    return fresh && second.shortfalls.length === 0 ? second : joined(first, second);
  }
  if (fresh) return age === 0 ? withState(second, first.item) : second;
  const graver = first.shortfalls.filter(({ shortfall }) => shortfall !== "limit");
  const older = withState(second, first.item);
  return { ...older, shortfalls: [olderContents(first, second, age), ...graver, ...second.shortfalls] };
}

/** The same item with more in it, where a snapshot has it of the same moment; else the same, maybe confirmed. */
export function compared(ours: Told, theirs: Told): Told {
  const [one, other] = [ours.item, theirs.item];
  if (!one || !other || !isWhole(theirs) || ageOf(other, one) !== 0) return ours;
  if (!hasMore(other, one)) return { ...ours, confirmed: true };
  return hasAll(other, one) ? theirs : ours;
}

/** The limit of an item that only a file of a past moment shows, in a vault that 1Password itself shows as well. */
export function onlyInSnapshot({ id, door, item }: Told): Shortfall {
  return {
    shortfall: "limit",
    reason: "older-contents",
    vaultId: item?.vaultId ?? "",
    itemId: id,
    detail: `only "${door.name}" shows it, which is of an earlier moment: it may have been deleted since`,
    door: door.name,
  };
}

/**
 * Whether `other` is of a later moment than `item` (1), an earlier (-1) or the same (0); undefined where that is not
 * told. Times count to the second, as 1Password tells them; versions tell two changes in one second apart.
 */
export function ageOf(other: Item, item: Item): number | undefined {
  const [theirs, ours] = [secondOf(other), secondOf(item)];
  if (theirs !== undefined && ours !== undefined && theirs !== ours) return Math.sign(theirs - ours);
  if (other.version !== undefined && item.version !== undefined) {
    return Math.sign(other.version - item.version);
  }
  return theirs === undefined || ours === undefined ? undefined : 0;
}

function secondOf({ updatedAt }: Item): number | undefined {
  const time = Date.parse(updatedAt ?? "");
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

/** The first's item, or the second's where the first has none, and all that keeps both from being whole. */
function joined(first: Told, second: Told): Told {
  if (!first.item && second.item) {
    return { ...second, shortfalls: [...first.shortfalls, ...second.shortfalls] };
  }
  const gaps = second.shortfalls.filter(({ shortfall }) => shortfall === "gap");
  return { ...first, shortfalls: [...first.shortfalls, ...gaps] };
}

/** Whether the item was archived since is what the newer of the two knows. */
function withState(told: Told, newer: Item | undefined): Told {
  if (!told.item || !newer || told.item.state === newer.state) return told;
  return { ...told, item: { ...told.item, state: newer.state } };
}

function olderContents(first: Told, second: Told, age: number | undefined): Shortfall {
  const [theirs, ours] = [second.item?.updatedAt, first.item?.updatedAt];
  return {
    shortfall: "limit",
    reason: "older-contents",
    vaultId: second.item?.vaultId ?? "",
    itemId: second.id,
    detail: age === undefined
      ? `the contents are those of "${second.door.name}" and may be older than what "${first.door.name}" lists`
      : `the contents are those of "${second.door.name}" (${theirs}), older than what "${first.door.name}" ` +
        `lists (${ours})`,
    door: second.door.name,
  };
}

/** 1Password fills in everywhere unless told otherwise: a door that does not say so says as much. */
const EVERYWHERE = "AnywhereOnWebsite";

/** Whether `other` has more of anything that some doors never give. */
function hasMore(other: Item, item: Item): boolean {
  const ours = extrasOf(item);
  return extrasOf(other).some((count, at) => count > ours[at]!);
}

/** How much there is of each thing that some doors never give. */
function extrasOf(item: Item): number[] {
  const { passwordHistory = [], favourite, fields, urls } = item;
  return [
    passwordHistory.length,
    passwordHistory.filter(({ time }) => time !== "").length,
    favourite ? 1 : 0,
    valuesOf(item).size,
    fields.filter(({ details }) => details !== undefined).length,
    new Set(fields.filter(({ value }) => value !== "").map(({ kind }) => kind)).size,
    urls.filter(({ autofill }) => autofill !== undefined).length,
  ];
}

/** Whether nothing of `item` would be lost with `other` in its place. */
function hasAll(other: Item, item: Item): boolean {
  const values = valuesOf(other);
  return other.state === item.state && other.title === item.title && other.notes === item.notes &&
    [...valuesOf(item)].every((value) => values.has(value)) &&
    item.tags.every((tag) => other.tags.includes(tag)) &&
    item.urls.every(({ url, autofill = EVERYWHERE }) =>
      other.urls.some((theirs) => theirs.url === url && (autofill === EVERYWHERE || theirs.autofill))
    ) &&
    item.files.every((file) => other.files.some(({ id, size }) => id === file.id && size === file.size));
}

/** What stands in the fields, empty ones aside: doors name and order them each in their own way. */
function valuesOf({ fields }: Item): Set<string> {
  return new Set(fields.map(({ value }) => value).filter((value) => value !== ""));
}
