import { checkSignature, readTrusted, type SignedManifest } from "../../src/archive/chain.ts";
import type { SignerKey } from "../../src/archive/signature.ts";

/** What a reader does with the two files of an entry. */
export async function openEntry(
  bytes: Uint8Array<ArrayBuffer>,
  signature: string,
  trusted: readonly SignerKey[],
): Promise<SignedManifest> {
  return readTrusted(await checkSignature(bytes, signature), trusted);
}
