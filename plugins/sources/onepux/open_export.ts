import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { SourceContext } from "../../../src/source/plugin.ts";
import { sourceError } from "./errors.ts";
import { type ExportedData, readExport } from "./export.ts";
import { itemId, itemJson } from "./item.ts";
import { FileIndex, filesOf } from "./item_files.ts";
import { objectsOf } from "./json.ts";
import { OnepuxSource } from "./source.ts";
import { Zip } from "./zip.ts";
import { unreadableBecause, type ZipEntry } from "./zip_entry.ts";

/** Days after which an export is called old. */
const OLD = 7;
const DAY = 24 * 3600 * 1000;

/** Files that together are larger than both: a bomb. 1Password's own are packed 1:1 to 1:10 and come to a few GiB. */
const BOMB_BYTES = 10 * 1024 ** 3;
const BOMB_RATIO = 100;

/** Opens the export at `path` and says what is odd about it. */
export async function openExport(
  path: string,
  context: SourceContext,
  signal: AbortSignal,
): Promise<OnepuxSource> {
  const { world, warn } = context;
  const { size, mode } = await look(path, context);
  const zip = await readable(() => Zip.open(world.files, path, size, signal));
  const data = await readable(() => readExport(zip, signal));
  const files = new FileIndex(zip);
  const { claimed, bytes, withoutId } = survey(data, files);
  if (bytes > BOMB_BYTES && bytes > size * BOMB_RATIO) {
    throw sourceError(
      "corrupt",
      `the files in ${quoted(path)} would come to ${bytes} bytes, out of ${size}: this is no honest export`,
    );
  }
  if (mode !== undefined && (mode & 0o077) !== 0) {
    warn(`other users may read the export ${quoted(path)}, which holds every secret in clear: chmod 600 it`);
  }
  sayAge(data.madeAt, context);
  const unclaimed = zip.entries.filter((entry) => !claimed.has(entry) && !isKnown(entry, data)).length;
  if (unclaimed > 0) warn(`no item names ${counted(unclaimed, "file")} of the export: not saved`);
  const strange = withoutId + data.withoutId;
  if (strange > 0) {
    warn(
      `the export has ${
        counted(strange, "item or vault", "items or vaults")
      } without an id: a made one is used`,
    );
  }
  if (data.strangeParts > 0) {
    warn(
      `the export has ${
        counted(data.strangeParts, "part")
      } of unknown meaning beside its accounts: not saved`,
    );
  }
  return new OnepuxSource(data, files);
}

/** A fault of the config rather than of 1Password, whose refusals have an exit code of their own. */
async function look(
  path: string,
  { world }: SourceContext,
): Promise<{ size: number; mode: number | undefined }> {
  return await readable(async () => {
    const info = await world.files.stat(await world.files.realPath(path));
    if (info.kind === "file") return info;
    throw sourceError("misconfigured", `${quoted(path)} is not a file`, {
      hint: '"path:" must name a file that the 1Password app exported, which ends in .1pux',
    });
  });
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AppError) || error.origin === "source" || isAppError(error, "cancelled")) {
      throw error;
    }
    if (isAppError(error, "not-found")) {
      throw sourceError("misconfigured", `there is no export: ${error.message}`, {
        hint:
          'export the account in the 1Password app (File > Export, format 1PUX) and put it where "path:" says',
        cause: error,
      });
    }
    throw sourceError(isAppError(error, "denied") ? "misconfigured" : error.code, error.message, {
      cause: error,
    });
  }
}

/** Which entries items name, and what it comes to when all of them are read. */
function survey(data: ExportedData, files: FileIndex) {
  const claimed = new Set<ZipEntry>();
  let bytes = 0;
  let withoutId = 0;
  for (const raw of data.vaults.flatMap(({ items }) => objectsOf(items))) {
    if (itemId(raw) === undefined) withoutId++;
    for (const file of filesOf(itemJson(raw))) {
      const found = files.find(file);
      for (const entry of found) claimed.add(entry);
      const [entry] = found;
      if (entry && !unreadableBecause(entry)) bytes += entry.size;
    }
  }
  return { claimed, bytes, withoutId };
}

/** Entries that are no item's: the descriptions, folders, pictures (a limit of this door). */
function isKnown({ name }: ZipEntry, { pictures }: ExportedData): boolean {
  return name === "export.data" || name === "export.attributes" || name.endsWith("/") || pictures.has(name);
}

function sayAge(madeAt: Date | undefined, { world, warn }: SourceContext): void {
  if (!madeAt) return warn("the export does not tell when it was made");
  const days = Math.floor((world.clock.now().getTime() - madeAt.getTime()) / DAY);
  if (days >= OLD) warn(`this export was made ${days} days ago: what changed since is not in it`);
}

function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
