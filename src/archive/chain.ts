import { AppError } from "../base/errors.ts";
import { decodeManifest, encodeManifest, type Manifest, manifestHash } from "./manifest.ts";
import { parseSignerKey, sign, type Signer, type SignerKey, verify } from "./signature.ts";

/** One entry of a host's chain as it is stored: the manifest's bytes and the signature over exactly these bytes. */
export interface SignedManifest {
  manifest: Manifest;
  bytes: Uint8Array<ArrayBuffer>;
  signature: string;
}

/** The newest entry that this host has signed. */
export interface Head {
  chain: string;
  sequence: number;
  /** SHA-256 of that entry's bytes. */
  hash: string;
}

/** Signs the entry that follows `head` (or begins `chain` when there is none). */
export async function nextEntry(
  head: Head | undefined,
  chain: string,
  entry: Omit<Manifest, "chain" | "sequence" | "previous" | "signer">,
  signer: Signer,
): Promise<SignedManifest> {
  const manifest: Manifest = {
    ...entry,
    chain: head?.chain ?? chain,
    signer: signer.key.fingerprint,
    sequence: (head?.sequence ?? 0) + 1,
    previous: head?.hash ?? null,
  };
  const bytes = encodeManifest(manifest);
  return { manifest, bytes, signature: await sign(bytes, signer) };
}

/** What a head is after `entry`. */
export function headOf(entry: SignedManifest): Head {
  return { chain: entry.manifest.chain, sequence: entry.manifest.sequence, hash: manifestHash(entry.bytes) };
}

/**
 * Reads a signed entry.
 *
 * @throws `corrupt` when the manifest or signature is damaged or they do not fit, `untrusted` when they fit but
 * were made by a key that is not in `trusted`.
 */
export async function openEntry(
  bytes: Uint8Array<ArrayBuffer>,
  signature: string,
  trusted: readonly SignerKey[],
): Promise<SignedManifest> {
  const key = await verify(bytes, signature);
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
  return { manifest, bytes, signature };
}

/** The trusted keys from the texts of a config. */
export function trustedKeys(texts: readonly string[]): SignerKey[] {
  return texts.map(parseSignerKey);
}
