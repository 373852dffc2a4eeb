/** Signers for tests: keys in memory, and SSH signatures put together field by field. */
import { base64, concat, utf8 } from "../../src/base/bytes.ts";
import { type Signer, signerKey } from "../../src/archive/signature.ts";

export async function newSigner(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    key: signerKey(raw),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, message)),
  };
}

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A string of SSH's wire format. */
export function ssh(content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === "string" ? utf8(content) : content;
  return concat([uint32(bytes.length), bytes]);
}

/** The blob inside an armoured signature. */
export function blobOf(armoured: string): Uint8Array<ArrayBuffer> {
  const text = armoured.replace(/-----[A-Z ]+-----/g, "").replace(/\s/g, "");
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

export function armour(blob: Uint8Array): string {
  const lines = base64(blob).match(/.{1,70}/g) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}
