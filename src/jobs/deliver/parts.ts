import { collect, streamOf, utf8 } from "../../base/bytes.ts";
import { sha256Hex } from "../../base/hash.ts";
import { lazily } from "../../base/relay.ts";
import { isArchiveEntry, type SignedManifest } from "../../archive/chain.ts";
import { nameOf } from "../../archive/manifest.ts";
import { HOW_TO_OPEN } from "../../archive/people.ts";
import type { Destination, Resendable } from "../../destination/contract.ts";
import { archiveParts, recordParts } from "../../model/archive_name.ts";
import { type JobContext, spoolOf } from "../context.ts";

/** An entry, with its archive where it has one, that is to be brought to destinations. */
export interface Shipment {
  entry: SignedManifest;
  /** The file that holds the archive's ciphertext, whole; of a record there is none. */
  path: string;
}

/** One file on its way. */
export interface Part {
  key: string;
  body: Resendable;
}

/** A signed entry whose archive lies in the spool, where it has one. */
export function spooledShipment(context: JobContext, entry: SignedManifest): Shipment {
  return { entry, path: `${spoolOf(context)}/${nameOf(entry.manifest)}` };
}

/** The files of an entry in the order of their upload: the signature, last, is the commit. */
export function partsOf(context: JobContext, { entry, path }: Shipment): Part[] {
  const key = (part: string) => `${context.job.name}/${part}`;
  const [bytes, signature] = [resendable(entry.bytes), resendable(utf8(entry.signature))];
  if (!isArchiveEntry(entry)) {
    const parts = recordParts(nameOf(entry.manifest));
    return [{ key: key(parts.record), body: bytes }, { key: key(parts.signature), body: signature }];
  }
  const { name, size, sha256 } = entry.manifest.archive;
  const parts = archiveParts(name);
  return [
    {
      key: key(parts.archive),
      body: { size, sha256, open: () => lazily(() => context.world.files.stream(path)) },
    },
    { key: key(parts.checksum), body: resendable(utf8(checksumLine(sha256, name))) },
    { key: key(parts.manifest), body: bytes },
    { key: key(parts.signature), body: signature },
  ];
}

/** The recipe that lies beside the archives of a job, in clear. */
export function recipeOf({ job }: JobContext): Part {
  return { key: `${job.name}/HOW-TO-OPEN.txt`, body: resendable(HOW_TO_OPEN) };
}

/** What `sha256sum -c` reads. */
export function checksumLine(sha256: string, name: string): string {
  return `${sha256}  ${name}\n`;
}

/** All of a small object at a destination. */
export async function readSmall(
  destination: Destination,
  key: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return await collect(await destination.get(key, undefined, signal), limit, key);
}

function resendable(bytes: Uint8Array): Resendable {
  return { size: bytes.length, sha256: sha256Hex(bytes), open: () => streamOf(bytes) };
}
