import { AppError, isAppError } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { refusal } from "../../../src/destination/http/refusal.ts";
import { type Dav, Doubtful } from "./dav.ts";
import { type Property, strange, type Told } from "./multistatus.ts";

/** Something on the server. */
export interface Resource {
  kind: "file" | "folder";
  /** Bytes; 0 of a folder. */
  size: number;
  /** As the server writes it, without the mark of a weak one; undefined where it tells none. */
  etag: string | undefined;
  /** By the server's clock; undefined where it tells none. */
  modified: Date | undefined;
}

/** What is in a folder, by name. */
export interface Contents {
  /** The server's clock; undefined where it tells none. */
  now: Date | undefined;
  entries: ReadonlyMap<string, Resource>;
}

/** What is at `parts`; undefined where nothing is, which only a folder that is there can say. */
export async function lookAt(dav: Dav, parts: readonly string[], signal: AbortSignal) {
  const found = await find(dav, parts, false, signal);
  if (!found) await mustHavePlace(dav, signal);
  return found;
}

/** Throws unless our folder is there. */
export async function mustHavePlace(dav: Dav, signal: AbortSignal): Promise<void> {
  const found = await find(dav, [], true, signal);
  if (found?.kind === "folder") return;
  const { place } = dav;
  throw new AppError("misconfigured", found ? `${place} is a file` : `${place} does not exist`, {
    hint: "make it, or check the address: it is never made from here, so that a wrong one is noticed",
  });
}

/**
 * What is at `parts`, asked for as a file or as a folder. Apache leads from a folder's name to the same with a slash,
 * which is not followed, and takes a slash after a file's name for a mistake (400), as lighttpd for a forbidden one
 * (403): then the other one is asked for.
 */
export async function find(
  dav: Dav,
  parts: readonly string[],
  folder: boolean,
  signal: AbortSignal,
): Promise<Resource | undefined> {
  try {
    return await ask(dav, parts, folder, signal);
  } catch (error) {
    if (!isDoubtful(error)) throw error;
    try {
      const other = await ask(dav, parts, !folder, signal);
      if (other) return other;
    } catch (late) {
      if (!isDoubtful(late)) throw late;
    }
    if (parts.length === 0) throw error;
    // Nothing can be below a file, nor below nothing.
    const above = await find(dav, parts.slice(0, -1), true, signal);
    if (above?.kind === "folder") throw error;
    return undefined;
  }
}

/** Everything in a folder whose name `wanted` wants; undefined where there is no folder. Complete, or throws. */
export async function contentsOf(
  dav: Dav,
  parts: readonly string[],
  wanted: (name: string) => boolean,
  signal: AbortSignal,
): Promise<Contents | undefined> {
  const { addresses, clock } = dav.parts, what = parts.length === 0 ? dav.place : quoted(parts.join("/"));
  return await retry(async () => {
    const entries = new Map<string, Resource>();
    let self: Resource | undefined;
    const told = await dav.properties(addresses.of(parts, true), 1, what, signal, (one) => {
      const at = addresses.partsOf(one.href), name = at[parts.length];
      if (at.length > parts.length + 1 || !parts.every((part, index) => at[index] === part)) {
        throw strange(`to a question about ${what} tells of ${quoted(one.href)}`);
      }
      if (name === undefined) {
        if (self) throw strange(`tells twice of ${what}`); // once more to say that it was too long (507)
        self = resourceOf(dav, one, what);
      } else if (wanted(name)) {
        if (entries.has(name)) throw strange(`tells twice of ${quoted(name)}`);
        entries.set(name, resourceOf(dav, one, quoted([...parts, name].join("/"))));
      }
    });
    if (!told) return undefined;
    if (!self) throw strange(`does not tell of ${what}, which was asked for`);
    return (self as Resource).kind === "file" ? undefined : { now: told.now, entries };
  }, { clock, signal }).catch(async (error) => {
    if (!isDoubtful(error)) throw error;
    // What was said first is told, unless the second look explains it.
    const there = await find(dav, parts, false, signal).catch((late) => {
      throw isAppError(late, "cancelled") ? late : error;
    });
    if (there?.kind === "folder") throw error;
    return undefined;
  });
}

async function ask(
  dav: Dav,
  parts: readonly string[],
  folder: boolean,
  signal: AbortSignal,
): Promise<Resource | undefined> {
  const { addresses, clock } = dav.parts, what = parts.length === 0 ? dav.place : quoted(parts.join("/"));
  return await retry(async () => {
    const found: Resource[] = [];
    const told = await dav.properties(addresses.of(parts, folder), 0, what, signal, (one) => {
      if (addresses.partsOf(one.href).join("/") !== parts.join("/")) {
        throw strange(`to a question about ${what} tells of ${quoted(one.href)}`);
      }
      // The status of the one thing that was asked for, told inside.
      if (one.status !== 404) found.push(resourceOf(dav, one, what));
    });
    if (told && found.length > 1) throw strange(`tells twice of ${what}`);
    return told && found[0];
  }, { clock, signal });
}

function isDoubtful(error: unknown): boolean {
  return error instanceof Doubtful || isAppError(error, "misconfigured");
}

/** Checked: a file without a size is none that can be told of. */
function resourceOf(dav: Dav, { status, properties }: Told, what: string): Resource {
  const refused = (code: number) => {
    const { place, parts: { clock } } = dav;
    const problem = { code: undefined, message: undefined };
    return refusal(code, new Headers(), problem, {
      what,
      place,
      now: clock.now(),
      statuses: { 404: "transient" },
    });
  };
  if (status !== undefined && status !== 200) throw refused(status);
  const given = (name: Property): string | undefined => {
    const property = properties.get(name);
    return property?.status === 200 ? property.text : undefined;
  };
  for (const name of ["resourcetype", "getcontentlength"] as const) {
    const code = properties.get(name)?.status ?? 200;
    if (code !== 200 && code !== 404) throw refused(code);
  }
  const type = given("resourcetype");
  if (type === undefined) throw strange(`does not tell whether ${what} is a file`);
  const kind = type === "collection" ? "folder" : "file";
  const size = kind === "folder" ? "0" : given("getcontentlength") ?? "";
  if (!/^\d{1,15}$/.test(size)) throw strange(`does not tell the size of ${what}`);
  const modified = Date.parse(kind === "file" ? given("getlastmodified") ?? "" : "");
  return {
    kind,
    size: Number(size),
    etag: kind === "file" ? given("getetag")?.replace(/^W\//, "") || undefined : undefined,
    modified: Number.isNaN(modified) ? undefined : new Date(modified),
  };
}
