import { AppError } from "../base/errors.ts";
import {
  type ArchiveManifest,
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestHash,
  type Place,
  type RecordManifest,
} from "./manifest.ts";
import { parseSignerKey, sign, type Signer, type SignerKey, verify } from "./signature.ts";

/** One entry of a host's chain as it is stored: the manifest's bytes and the signature over exactly these bytes. */
export interface SignedManifest<M extends Manifest = Manifest> {
  manifest: M;
  bytes: Uint8Array<ArrayBuffer>;
  signature: string;
  /** The key that made the signature. */
  key: SignerKey;
}

/** The entry of an archive. */
export type SignedArchive = SignedManifest<ArchiveManifest>;

/** An entry without an archive. */
export type SignedRecord = SignedManifest<RecordManifest>;

/** What an entry says, before it has its place in a chain. */
export type Draft<M extends Manifest = Manifest> = M extends Manifest
  ? Omit<M, "chain" | "sequence" | "previous" | "signer">
  : never;

/** The newest entry that this host has signed. */
export interface Head {
  chain: string;
  sequence: number;
  /** SHA-256 of that entry's bytes. */
  hash: string;
}

/** Signs the entry that follows `head` (or begins `chain` when there is none). */
export async function nextEntry<M extends Manifest>(
  head: Head | undefined,
  chain: string,
  draft: Draft<M>,
  signer: Signer,
): Promise<SignedManifest<M>> {
  const manifest = {
    ...draft,
    chain: head?.chain ?? chain,
    signer: signer.key.fingerprint,
    sequence: (head?.sequence ?? 0) + 1,
    previous: head?.hash ?? null,
  } as unknown as M;
  const bytes = encodeManifest(manifest);
  return { manifest, bytes, signature: await sign(bytes, signer), key: signer.key };
}

/** What names an entry from outside of its chain. */
export function placeOf(entry: SignedManifest): Place {
  return { ...headOf(entry), signer: entry.key.fingerprint };
}

/** What a head is after `entry`. */
export function headOf(entry: Pick<SignedManifest, "manifest" | "bytes">): Head {
  return { chain: entry.manifest.chain, sequence: entry.manifest.sequence, hash: manifestHash(entry.bytes) };
}

/** An entry whose signature fits; whether its key is trusted, and so its words worth reading, is still open. */
export interface Unread {
  bytes: Uint8Array<ArrayBuffer>;
  signature: string;
  key: SignerKey;
}

/** Checks that the signature fits; throws `corrupt` when it does not. */
export async function checkSignature(bytes: Uint8Array<ArrayBuffer>, signature: string): Promise<Unread> {
  return { bytes, signature, key: await verify(bytes, signature) };
}

/**
 * Reads an entry whose signature fits.
 *
 * @throws `untrusted` when its key is not in `trusted`, `corrupt` when the manifest is damaged.
 */
export function readTrusted(
  { bytes, signature, key }: Unread,
  trusted: readonly SignerKey[],
): SignedManifest {
  if (!trusted.some((one) => one.fingerprint === key.fingerprint)) {
    throw new AppError("untrusted", `signed by ${key.fingerprint}, which is not a trusted signer`, {
      hint: `if that is one of your backup hosts, add its key to "signers:" in the config: ${key.text}`,
    });
  }
  // Only now: a stranger's words are not worth reading.
  const manifest = decodeManifest(bytes);
  if (manifest.signer !== key.fingerprint) {
    throw new AppError("corrupt", "the manifest names another signer than the one that signed it");
  }
  return { manifest, bytes, signature, key };
}

/** The key that the entry after `entry` must be signed with. */
export function signerAfter({ manifest, key }: SignedManifest): SignerKey {
  return manifest.kind === "keys-rotate" ? parseSignerKey(manifest.newSigner) : key;
}

/** Whether `entry` is that of an archive. */
export function isArchiveEntry(entry: SignedManifest): entry is SignedArchive {
  return entry.manifest.kind === "archive";
}

/** Whether `entry` is one without an archive. */
export function isRecordEntry(entry: SignedManifest): entry is SignedRecord {
  return entry.manifest.kind !== "archive";
}

/** The trusted keys from the texts of a config. */
export function trustedKeys(texts: readonly string[]): SignerKey[] {
  return texts.map(parseSignerKey);
}
