import { AppError } from "../base/errors.ts";
import { Sha256 } from "../base/hash.ts";
import { Parts } from "../base/parts.ts";
import type { Files } from "../base/world.ts";

/** A finished file of ciphertext in the spool. */
export interface Spooled {
  path: string;
  /** Bytes. */
  size: number;
  sha256: string;
}

export interface SpoolOptions {
  /** Told how many bytes have been written. */
  progress?: (bytes: number) => void;
  /** The hash of the stream where somebody else makes it; asked for after its end. */
  sha256?: (() => string) | undefined;
}

/**
 * Keeps a stream of ciphertext as `folder/name`: written as `.partial`, synced, then renamed, so that a name
 * without that ending is always whole. Whatever goes wrong, nothing is left behind.
 */
export async function spool(
  files: Files,
  folder: string,
  name: string,
  ciphertext: ReadableStream<Uint8Array>,
  { progress = () => {}, sha256 }: SpoolOptions = {},
): Promise<Spooled> {
  const path = `${folder}/${name}`;
  const partial = spoolPartial(path);
  const hash = sha256 ? undefined : new Sha256();
  let written = 0;
  let begun = false;
  try {
    await files.makeFolder(folder, 0o700);
    const file = await files.create(partial, 0o600);
    begun = true;
    try {
      for await (const bytes of new Parts(ciphertext)) {
        await file.write(bytes);
        hash?.update(bytes);
        written += bytes.length;
        progress(written);
      }
      await file.sync();
    } finally {
      file.close();
    }
    const { size } = await files.stat(partial);
    if (size !== written) {
      throw new AppError("corrupt", `the spool kept ${size} of ${written} bytes`);
    }
    await files.rename(partial, path);
    await files.syncFolder(folder);
  } catch (error) {
    await ciphertext.cancel(error).catch(() => {}); // locked and cancelled already when the loop itself failed
    if (begun) await removeQuietly(files, partial); // else the name is somebody else's
    throw error;
  }
  return { path, size: written, sha256: sha256 ? sha256() : hash!.hex() };
}

/** The name under which a spool file is written until it is whole. */
export function spoolPartial(path: string): string {
  return `${path}.partial`;
}

/** Removing is only tidying here: the error that led to it is the one to report, and the journal remembers the rest. */
async function removeQuietly(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch {
    // the next run sweeps it by the journal
  }
}
