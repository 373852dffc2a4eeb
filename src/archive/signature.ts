import { createHash } from "node:crypto";
import { AppError } from "../base/errors.ts";
import { base64, concat, fromBase64, utf8 } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";

/**
 * SSH signatures (OpenSSH's PROTOCOL.sshsig) by Ed25519 keys, made and checked with WebCrypto, so that stock
 * `ssh-keygen -Y verify -n vaultferry` accepts what vaultferry signs and the other way round.
 */

/** What a signature of ours is for; one made for anything else is refused. */
export const NAMESPACE = "vaultferry";

/** A key that signs; its public half is in OpenSSH's wire format. */
export interface Signer {
  readonly key: SignerKey;
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** A public Ed25519 key. */
export interface SignerKey {
  /** `ssh-ed25519 AAAA…` without a comment. */
  readonly text: string;
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** The 32 bytes of the key. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

const ALGORITHM = "ssh-ed25519";
const MAGIC = utf8("SSHSIG");
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";

/** The key with these 32 bytes. */
export function signerKey(raw: Uint8Array): SignerKey {
  const wire = concat([string(utf8(ALGORITHM)), string(raw)]);
  return {
    text: `${ALGORITHM} ${base64(wire)}`,
    fingerprint: `SHA256:${base64(sha256(wire)).replace(/=+$/, "")}`,
    raw: Uint8Array.from(raw),
  };
}

/** Reads `ssh-ed25519 AAAA… comment`; throws `misconfigured` on anything else. */
export function parseSignerKey(text: string): SignerKey {
  const [algorithm, encoded = ""] = text.trim().split(/\s+/);
  try {
    if (algorithm !== ALGORITHM) throw new AppError("corrupt", "not an ed25519 key");
    return signerKey(keyOf(new Reader(fromBase64(encoded, "the key"))));
  } catch (cause) {
    throw new AppError("misconfigured", 'a signer must be an "ssh-ed25519 AAAA…" public key', {
      hint: '"vaultferry keys signer" prints the key of a backup host',
      cause,
    });
  }
}

/** The armoured signature of `message`. */
export async function sign(message: Uint8Array, signer: Signer): Promise<string> {
  const signature = await signer.sign(signedData(NAMESPACE, "sha512", message));
  const blob = concat([
    MAGIC,
    uint32(1),
    string(concat([string(utf8(ALGORITHM)), string(signer.key.raw)])),
    string(utf8(NAMESPACE)),
    string(new Uint8Array(0)),
    string(utf8("sha512")),
    string(concat([string(utf8(ALGORITHM)), string(signature)])),
  ]);
  return [BEGIN, ...base64(blob).match(/.{1,70}/g)!, END, ""].join("\n");
}

/**
 * The key that made this signature of `message`. Whether that key is trusted is the caller's question.
 *
 * @throws `corrupt` when the text is no signature, is for another purpose or does not fit the message.
 */
export async function verify(message: Uint8Array, armoured: string): Promise<SignerKey> {
  const text = armoured.trim();
  if (!text.startsWith(BEGIN) || !text.endsWith(END)) throw refused("it is not an SSH signature");
  const reader = new Reader(
    fromBase64(text.slice(BEGIN.length, -END.length).replace(/\s/g, ""), "the signature"),
  );
  if (!same(reader.bytes(MAGIC.length), MAGIC) || reader.uint32() !== 1) {
    throw refused("its version is unknown");
  }
  const key = signerKey(keyOf(new Reader(reader.string())));
  const namespace = reader.text();
  if (namespace !== NAMESPACE) throw refused("it was made for another purpose");
  reader.string(); // reserved: ignored, as the protocol says
  const hash = reader.text();
  if (hash !== "sha512" && hash !== "sha256") throw refused("its hash is unknown");
  const inner = new Reader(reader.string());
  reader.end();
  if (inner.text() !== ALGORITHM) throw refused("its kind of key is unknown");
  const signature = inner.string();
  inner.end();
  const publicKey = await crypto.subtle.importKey("raw", key.raw, "Ed25519", false, ["verify"]);
  if (!await crypto.subtle.verify("Ed25519", publicKey, signature, signedData(namespace, hash, message))) {
    throw refused("it does not fit");
  }
  return key;
}

function signedData(namespace: string, hash: "sha512" | "sha256", message: Uint8Array) {
  const digest = new Uint8Array(createHash(hash).update(message).digest());
  return concat([
    MAGIC,
    string(utf8(namespace)),
    string(new Uint8Array(0)),
    string(utf8(hash)),
    string(digest),
  ]);
}

function keyOf(reader: Reader): Uint8Array<ArrayBuffer> {
  if (reader.text() !== ALGORITHM) throw refused("its kind of key is unknown");
  const raw = reader.string();
  reader.end();
  if (raw.length !== 32) throw refused("its key has the wrong length");
  return raw;
}

function refused(why: string): AppError {
  return new AppError("corrupt", `the signature is not valid: ${why}`);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** SSH's string: a length of four bytes, then that many. */
function string(bytes: Uint8Array): Uint8Array {
  return concat([uint32(bytes.length), bytes]);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Reads SSH's wire format and never past its end. */
class Reader {
  #at = 0;
  constructor(readonly data: Uint8Array<ArrayBuffer>) {}

  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.data.length) throw refused("it is cut short");
    this.#at += length;
    return this.data.slice(this.#at - length, this.#at);
  }

  uint32(): number {
    return new DataView(this.bytes(4).buffer).getUint32(0);
  }

  string(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.uint32());
  }

  text(): string {
    return new TextDecoder().decode(this.string());
  }

  end(): void {
    if (this.#at !== this.data.length) throw refused("it has bytes too many");
  }
}
