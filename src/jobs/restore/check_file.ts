import { AppError, isAppError } from "../../base/errors.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import { digestOf } from "../../base/hash.ts";
import { quoted } from "../../base/safe_names.ts";
import type { World } from "../../base/world.ts";
import { decodeManifest, isArchive, MANIFEST_LIMIT } from "../../archive/manifest.ts";
import { verify } from "../../archive/signature.ts";

/** What is known of an archive file that came without a config. */
export type FileCheck =
  | { signed: false; why: string }
  /** By whom: nobody said here whether that key is to be trusted. */
  | { signed: true; fingerprint: string; key: string; time: string };

/**
 * Compares an archive file with the manifest and signature that lie beside it.
 *
 * @throws `corrupt` when they are there and do not fit; their absence is no error, for in an emergency there may
 * be only the archive.
 */
export async function checkFile(world: World, path: string): Promise<FileCheck> {
  const manifest = await beside(world, `${path}.manifest.json`);
  const signature = await beside(world, `${path}.manifest.json.sig`);
  if (!manifest || !signature) {
    const missing = [manifest ? [] : [".manifest.json"], signature ? [] : [".manifest.json.sig"]].flat();
    return { signed: false, why: `there is no ${missing.join(" and no ")} beside it` };
  }
  const key = await verify(manifest, fromUtf8(signature, "the signature"));
  const decoded = decodeManifest(manifest);
  if (!isArchive(decoded)) throw new AppError("corrupt", "the manifest beside it is not that of an archive");
  const { archive, time } = decoded;
  const found = await digestOf(await world.files.stream(path));
  if (found.size !== archive.size || found.sha256 !== archive.sha256) {
    throw new AppError("corrupt", `${quoted(path)} is not the file that its signed manifest describes`, {
      hint: found.size < archive.size
        ? `it is cut short: ${found.size} of ${archive.size} bytes`
        : "it is damaged or another archive: use another copy",
    });
  }
  return { signed: true, fingerprint: key.fingerprint, key: key.text, time };
}

async function beside(world: World, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return Uint8Array.from(await world.files.read(path, MANIFEST_LIMIT));
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
}
