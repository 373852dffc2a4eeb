import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import type { Json, JsonObject } from "./json.ts";

const TAG_BYTES = 16;

/** What 1Password puts around everything encrypted: request bodies, item overviews and details, keys. */
export interface Envelope {
  /** Id of the key that opens it: a session, a vault, a keyset. */
  kid: string;
  enc: "A256GCM";
  cty: "b5+jwk+json";
  /** 12 bytes, base64url. */
  iv: string;
  /** Ciphertext and tag, base64url. */
  data: string;
}

/** Bytes in memory of their own, which every web interface takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Encrypts JSON for the holder of `key`. */
export function seal(key: Uint8Array, kid: string, plain: Json): Envelope & JsonObject {
  const iv = randomBytes(12);
  const data = encryptBytes(key, iv, new TextEncoder().encode(JSON.stringify(plain)));
  return { kid, enc: "A256GCM", cty: "b5+jwk+json", iv: base64url(iv), data: base64url(data) };
}

/** Opens an envelope. Throws when the key is wrong or the content is not JSON. */
export function unseal(key: Uint8Array, envelope: Envelope): Json {
  const plain = decryptBytes(key, fromBase64url(envelope.iv), fromBase64url(envelope.data));
  return JSON.parse(new TextDecoder().decode(plain));
}

/** Whether a parsed body is an envelope. */
export function isEnvelope(value: unknown): value is Envelope {
  const { kid, iv, data } = (value ?? {}) as Partial<Envelope>;
  return typeof kid === "string" && typeof iv === "string" && typeof data === "string";
}

/** AES-256-GCM; the answer is the ciphertext followed by the tag. */
export function encryptBytes(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Bytes {
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function decryptBytes(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Bytes {
  const decipher = createDecipheriv("aes-256-gcm", key, iv);
  const end = data.length - TAG_BYTES;
  decipher.setAuthTag(data.subarray(end));
  return concat(decipher.update(data.subarray(0, end)), decipher.final());
}

/** The JSON Web Key by which 1Password hands a symmetric key around. */
export function symmetricJwk(kid: string, key: Uint8Array): JsonObject {
  return { kty: "oct", kid, alg: "A256GCM", k: base64url(key), ext: true, key_ops: ["encrypt", "decrypt"] };
}

/** The hash of these parts, one after the other. */
export function sha256(...parts: (string | Uint8Array)[]): Bytes {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** HMAC with SHA-256. */
export function hmacSha256(key: Uint8Array, message: string | Uint8Array): Bytes {
  return new Uint8Array(createHmac("sha256", key).update(message).digest());
}

/** Without padding. */
export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** With or without padding. */
export function fromBase64url(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

/** One array of all parts. */
export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
