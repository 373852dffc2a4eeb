import { createCipheriv } from "node:crypto";
import type { FileDescription } from "../description.ts";
import { base64url, type Bytes, encryptBytes, hmacSha256, sha256, symmetricJwk } from "./encryption.ts";
import { derivedId } from "./ids.ts";
import type { JsonObject } from "./json.ts";

const TAG_BYTES = 16;

/**
 * Content that looks random and is always the same for the same seed: an AES-CTR key stream, because a test may ask for
 * tens of megabytes.
 * @param size in bytes
 */
export function generatedContent(seed: string, size: number): Bytes {
  const cipher = createCipheriv("aes-256-ctr", sha256("content", seed), new Uint8Array(16));
  const content = new Uint8Array(cipher.update(new Uint8Array(size)));
  cipher.final(); // lets go of the cipher
  return content;
}

/**
 * A file that a description gave, as 1Password stores it: encrypted under its own key, with key, nonce and hash in the
 * details of its item. Content and ciphertext are made when asked for and not kept, so 60 MB cost memory only while read.
 */
export class StoredFile {
  readonly id: string;
  readonly name: string;
  readonly #description: FileDescription;
  #servedSize: number | undefined;
  #integrityHash: string | undefined;

  constructor(id: string, description: FileDescription) {
    this.id = id;
    this.name = description.name;
    this.#description = description;
  }

  /** What the item says, in bytes. */
  get declaredSize(): number {
    return this.#description.declaredSize ?? this.#describedSize();
  }

  /** What a reader gets. */
  content(): Bytes {
    const content = describedContent(this.#description, this.id);
    if (this.#servedSize === undefined) return content;
    const served = new Uint8Array(this.#servedSize);
    served.set(content.subarray(0, this.#servedSize));
    return served;
  }

  /** From now on serves this many bytes, cut or padded with zeros. The declared size stays. */
  serve(size: number): void {
    this.#servedSize = size;
    this.#integrityHash = undefined;
  }

  /** What lies on the server. */
  ciphertext(): Bytes {
    return encryptBytes(this.#key(), this.#nonce(), this.content());
  }

  /** The entry in the item's details by which a reader finds, opens and checks the ciphertext. */
  attributes(): JsonObject {
    this.#integrityHash ??= base64url(sha256(this.ciphertext()));
    return {
      fileName: this.name,
      documentId: this.id,
      unencryptedSize: this.declaredSize,
      encryptedSize: this.declaredSize + TAG_BYTES,
      // Over the ciphertext with its tag. The core compares it, and never compares the sizes.
      integrityHash: this.#integrityHash,
      nonce: base64url(this.#nonce()),
      // A file without it is looked for at another, older address.
      signingKey: symmetricJwk(this.id, sha256("signing key", this.id)),
      encryptionKey: symmetricJwk(derivedId("file key", this.id), this.#key()),
    };
  }

  /** The item record's proof that its writer may refer to this file. Readers do not look at it. */
  reference(): JsonObject {
    return { fileId: this.id, signature: base64url(hmacSha256(sha256("signing key", this.id), this.id)) };
  }

  #describedSize(): number {
    if ("size" in this.#description) return this.#description.size;
    return toBytes(this.#description.content).length;
  }

  // Derived rather than random: the ciphertext is made anew for each reader and has to match the hash given before.
  // Nothing here is worth protecting, so a nonce that repeats after `serve` does no harm.
  #key(): Bytes {
    return sha256("file key", this.id);
  }

  #nonce(): Bytes {
    return sha256("file nonce", this.id).slice(0, 12);
  }
}

function describedContent(description: FileDescription, id: string): Bytes {
  if ("content" in description) return toBytes(description.content);
  return generatedContent(description.seed ?? id, description.size);
}

function toBytes(content: string | Uint8Array): Bytes {
  return typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
}
