import { AppError, isAppError } from "../../base/errors.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import { digestOf, Sha256 } from "../../base/hash.ts";
import { retry } from "../../base/retry.ts";
import type { Contents } from "../../archive/contents.ts";
import { checkArchive } from "../../archive/read.ts";
import type { Destination } from "../../destination/contract.ts";
import { archiveParts, parseArchiveName } from "../../model/archive_name.ts";
import type { JobContext } from "../context.ts";
import { checksumLine, readSmall } from "../deliver/parts.ts";
import type { Cataloged } from "./catalog.ts";
import { whoCanOpen } from "./who_can_open.ts";

/**
 * Compares a copy with what its signed manifest says: size, checksum file, every byte; with identities also the whole of
 * its contents, of which the inner manifest is returned.
 *
 * @throws `corrupt`, `not-found` or `wrong-identity` for what is wrong with the copy.
 */
export async function checkCopy(
  context: JobContext,
  destination: Destination,
  one: Cataloged,
  identities: readonly string[] | undefined,
): Promise<Contents | undefined> {
  const { name, size, sha256 } = one.entry!.manifest.archive;
  checkSize(one);
  const parts = archiveParts(name);
  const key = (part: string) => `${context.job.name}/${part}`;
  const line = fromUtf8(
    await readSmall(destination, key(parts.checksum), 1024, context.signal),
    parts.checksum,
  );
  if (line !== checksumLine(sha256, name)) {
    throw new AppError("corrupt", `"${parts.checksum}" says something else`);
  }
  const open = () => destination.get(key(parts.archive), undefined, context.signal);
  if (!identities) {
    const found = await retry(async () => await digestOf(await open()), {
      clock: context.world.clock,
      signal: context.signal,
    });
    compare(found, { size, sha256 });
    return undefined;
  }
  // One pass does both: what is opened is what is hashed.
  const hash = new Sha256();
  const hashed = async () =>
    (await open()).pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          hash.update(bytes);
          controller.enqueue(bytes);
        },
      }),
    );
  const { compression } = parseArchiveName(name)!;
  const { contents } = await checkArchive({ open: hashed, compression, identities }, {
    progress: (bytes) => context.emit({ event: "progress", job: context.job.name, phase: "check", bytes }),
  }).catch(async (error) => {
    if (!isAppError(error, "wrong-identity")) throw error;
    // A damaged head reads as one that was sealed to somebody else: only of the signed bytes is that true.
    compare(await digestOf(await open()), { size, sha256 });
    throw await whoCanOpen(error, context, one.entry!.manifest.recipients);
  });
  compare({ size: hash.size, sha256: hash.hex() }, { size, sha256 });
  return contents;
}

function compare(found: { size: number; sha256: string }, promised: { size: number; sha256: string }): void {
  if (found.size !== promised.size) {
    throw new AppError("corrupt", `truncated: it gives ${found.size} of ${promised.size} bytes`);
  }
  if (found.sha256 !== promised.sha256) {
    throw new AppError("corrupt", "damaged: its SHA-256 is not the signed one");
  }
}

/** Throws `corrupt` when the copy is not as long as it was signed; looks at nothing but the listing. */
export function checkSize(one: Cataloged): void {
  const { size } = one.entry!.manifest.archive;
  if (one.size === undefined || one.size === size) return;
  throw new AppError(
    "corrupt",
    `${one.size < size ? "truncated" : "too long"}: ${one.size} of ${size} bytes`,
  );
}
