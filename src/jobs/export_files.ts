import { type AppError, throwIfCancelled, toAppError } from "../base/errors.ts";
import { layout } from "../archive/layout.ts";
import type { StreamedEntry } from "../archive/write.ts";
import type { ItemFile } from "../model/item.ts";
import type { Shortfall } from "../model/shortfall.ts";
import type { ExportRun, PendingFiles } from "./export_run.ts";

/** Fetches the files of all items, one after the other; what cannot be had is recorded. */
export async function exportFiles(run: ExportRun): Promise<void> {
  const total = run.pending.reduce((sum, { item }) => sum + item.files.length, 0);
  const totalBytes = run.pending.reduce(
    (sum, { item }) => sum + item.files.reduce((all, file) => all + file.size, 0),
    0,
  );
  let done = 0;
  let bytes = 0;
  let quota: AppError | undefined;
  for (const pending of run.pending) {
    for (const file of pending.item.files) {
      throwIfCancelled(run.context.signal);
      if (quota) run.lacks(lacking(pending, file, quota));
      else quota = await exportFile(run, pending, file);
      done++;
      bytes += file.size;
      run.context.emit({
        event: "progress",
        job: run.context.job.name,
        phase: "files",
        done,
        total,
        bytes,
        totalBytes,
      });
    }
  }
}

/** Returns the error when the quota has ended, so that no further call is wasted on it. */
async function exportFile(
  run: ExportRun,
  pending: PendingFiles,
  file: ItemFile,
): Promise<AppError | undefined> {
  const { vault, item } = pending;
  const path = layout.file(vault.id, item.id, file.id);
  if (!run.claim(path)) {
    run.lacks({
      ...about(pending, file),
      shortfall: "gap",
      reason: "unreadable-file",
      detail: "the source gave this file id twice",
    });
    return undefined;
  }
  let body: ReadableStream<Uint8Array>;
  try {
    body = await run.source.open(item, file, run.context.signal);
  } catch (error) {
    const known = toAppError(error);
    if (known.code === "cancelled" || run.context.signal.aborted) throw known;
    run.lacks(lacking(pending, file, known));
    return known.code === "quota" ? known : undefined;
  }
  const stored = await run.writer.addStream(path, file.size, body);
  throwIfCancelled(run.context.signal);
  run.fileAdded(pending, file.name, path);
  const shortfall = lengthShortfall(pending, file, stored);
  if (shortfall) run.lacks(shortfall);
  return undefined;
}

function about({ vault, item }: PendingFiles, file: ItemFile) {
  return { vaultId: vault.id, itemId: item.id, fileId: file.id };
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
