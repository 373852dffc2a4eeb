import { ahead } from "../../base/ahead.ts";
import { type AppError, throwIfCancelled, toAppError } from "../../base/errors.ts";
import { layout } from "../../archive/layout.ts";
import type { StreamedEntry } from "../../archive/write.ts";
import type { ItemFile } from "../../model/item.ts";
import { isShortfall, type Shortfall } from "../../model/shortfall.ts";
import type { ExportRun, PendingFiles } from "./export_run.ts";

/** Files that are opened before they are written. */
const AHEAD = 4;

/**
 * Bytes in them together, as their items declare them. A larger file is opened alone: a source that cannot stream
 * holds all of it, and 1Password's SDK needs some 20 times its size while it reads one. Twice as much gains no time
 * and costs 10 MiB: reading 1 MiB keeps the SDK busy for longer than 1Password takes to answer.
 */
const ROOM = 2 * 1024 * 1024;

interface Wanted {
  pending: PendingFiles;
  file: ItemFile;
}

interface Opened extends Wanted {
  path: string;
  /** Its body, or why there is none. */
  found: ReadableStream<Uint8Array> | Shortfall;
}

/**
 * Fetches the files of all items and writes them in the order of the items, the next ones opened meanwhile; what
 * cannot be had is recorded.
 */
export async function exportFiles(run: ExportRun): Promise<void> {
  const { context } = run;
  const all = [...wantedFiles(run)];
  const total = all.length;
  const totalBytes = all.reduce((sum, { file }) => sum + file.size, 0);
  let done = 0;
  let bytes = 0;
  const opened = ahead(all, opener(run), {
    signal: context.signal,
    most: AHEAD,
    weight: ({ file }) => file.size,
    room: ROOM,
    discard: ({ found }) => isShortfall(found) ? undefined : found.cancel(),
  });
  for await (const one of opened) {
    await write(run, one);
    done++;
    bytes += one.file.size;
    context.emit({
      event: "progress",
      job: context.job.name,
      phase: "files",
      done,
      total,
      bytes,
      totalBytes,
    });
  }
}

function* wantedFiles(run: ExportRun): Generator<Wanted> {
  for (const pending of run.pending) for (const file of pending.item.files) yield { pending, file };
}

/** What opens files; once the quota has ended, it wastes no further call on it. */
function opener(run: ExportRun): (wanted: Wanted, signal: AbortSignal) => Promise<Opened> {
  let quota: AppError | undefined;
  return async ({ pending, file }, signal) => {
    const { vault, item } = pending;
    const path = layout.file(vault.id, item.id, file.id);
    const found = (found: Opened["found"]): Opened => ({ pending, file, path, found });
    if (!run.claim(path)) return found(twice(pending, file));
    if (quota) return found(lacking(pending, file, quota));
    try {
      return found(await run.source.open(item, file, signal));
    } catch (error) {
      const known = toAppError(error);
      if (known.code === "cancelled" || signal.aborted) throw known;
      if (known.code === "quota") quota ??= known;
      return found(lacking(pending, file, known));
    }
  };
}

async function write(run: ExportRun, { pending, file, path, found }: Opened): Promise<void> {
  if (isShortfall(found)) return run.lacks(found);
  const stored = await run.writer.addStream(path, file.size, found);
  throwIfCancelled(run.context.signal);
  run.fileAdded(pending, file.name, path);
  const shortfall = lengthShortfall(pending, file, stored);
  if (shortfall) run.lacks(shortfall);
}

function about({ vault, item }: PendingFiles, file: ItemFile) {
  return { vaultId: vault.id, itemId: item.id, fileId: file.id };
}

function twice(pending: PendingFiles, file: ItemFile): Shortfall {
  const detail = "the source gave this file id twice";
  return { ...about(pending, file), shortfall: "gap", reason: "unreadable-file", detail };
}

function lacking(pending: PendingFiles, file: ItemFile, error: AppError): Shortfall {
  const ids = about(pending, file);
  if (error.code === "unsupported") {
    return { ...ids, shortfall: "limit", reason: "file-too-large", detail: error.message };
  }
  if (error.code === "not-found") {
    return { ...ids, shortfall: "moved", reason: "deleted-meanwhile", detail: error.message };
  }
  return {
    ...ids,
    shortfall: "gap",
    reason: error.code === "quota" ? "quota" : "unreadable-file",
    detail: `the file could not be read: ${error.message}`,
  };
}

/** The gap for a body that was not what its item declared; `actual` tells what was really there. */
function lengthShortfall(
  pending: PendingFiles,
  file: ItemFile,
  stored: StreamedEntry,
): Shortfall | undefined {
  if (stored.broken !== undefined) {
    return {
      ...about(pending, file),
      shortfall: "gap",
      reason: "unreadable-file",
      detail: `the file broke off: ${toAppError(stored.broken).message}`,
      ...(stored.actual ? { actual: stored.actual } : {}),
    };
  }
  if (!stored.actual) return undefined;
  const shorter = stored.actual.size < file.size;
  return {
    ...about(pending, file),
    shortfall: "gap",
    reason: shorter ? "file-shorter" : "file-longer",
    detail: `the file has ${stored.actual.size} bytes, its item says ${file.size}`,
    actual: stored.actual,
  };
}
