import { Decrypter, Encrypter, identityToRecipient, type Recipient } from "age-encryption";
import { hkdfSync } from "node:crypto";
import { AppError } from "../../base/errors.ts";
import { concat, utf8 } from "../../base/bytes.ts";

/** The header of an age file: everything about who can open it. All of it is the age library's work. */

/** No genuine header is longer: a thousand post-quantum recipients need two thirds of it. */
const LIMIT = 3 * 1024 * 1024;

const INTRODUCTION = utf8("age-encryption.org/v1\n");

/** Bytes of the payload's nonce, which follows the header. */
export const PAYLOAD_NONCE = 16;

/** A new file key, wrapped for every recipient, as header text; the key itself is for the payload. */
export async function newHeader(
  recipients: readonly string[],
): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const listener = new FileKeyListener();
  encrypter.addRecipient(listener);
  const empty = await encrypter.encrypt(new Uint8Array(0));
  if (!listener.fileKey) throw new AppError("unknown", "the age library made no file key");
  // What follows the header is the nonce and the one empty chunk of an empty file; the nonce is not used again.
  return { header: empty.slice(0, empty.length - PAYLOAD_NONCE - 16), fileKey: listener.fileKey };
}

/** Takes part as a recipient in order to learn the file key, and leaves no stanza. */
class FileKeyListener implements Recipient {
  fileKey: Uint8Array | undefined;

  wrapFileKey(fileKey: Uint8Array): [] {
    this.fileKey = fileKey.slice();
    return [];
  }
}

/** The file key of a header; the library checks the header's MAC. Throws the library's errors. */
export async function openHeader(header: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
  return await withIdentities(identities, (decrypter) => decrypter.decryptHeader(header));
}

/**
 * Runs `action` with a decrypter that knows the identities. The library begins to derive each one's public half when
 * it is added, and does not wait for it where it is not needed; this does, so that nothing is left running.
 */
export async function withIdentities<T>(
  identities: readonly string[],
  action: (decrypter: Decrypter) => Promise<T>,
): Promise<T> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await action(decrypter);
  } finally {
    await Promise.all(identities.map((identity) => identityToRecipient(identity)));
  }
}

/** The payload's key: HKDF-SHA-256 of the file key with the nonce as salt. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

/**
 * Reads a header and the nonce behind it off a stream; `rest` holds what was read beyond.
 *
 * @throws `corrupt` when the stream ends first or there is no end of a header.
 */
export async function readHeader(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ header: Uint8Array; nonce: Uint8Array; rest: Uint8Array }> {
  let seen = new Uint8Array(0);
  while (true) {
    const end = endOfHeader(seen);
    if (end !== undefined && seen.length >= end + PAYLOAD_NONCE) {
      const body = end + PAYLOAD_NONCE;
      return { header: seen.subarray(0, end), nonce: seen.subarray(end, body), rest: seen.subarray(body) };
    }
    const begun = INTRODUCTION.every((byte, at) => at >= seen.length || seen[at] === byte);
    if (!begun || (end === undefined && seen.length > LIMIT)) {
      throw damaged("it does not begin as an age file does");
    }
    const { done, value } = await reader.read();
    if (done) throw damaged("its header is cut short");
    seen = concat([seen, value]);
  }
}

/**
 * Where the header ends: behind the first line that begins with `---`. No line before it can, because recipients
 * begin with `->` and their bodies are base64.
 */
function endOfHeader(bytes: Uint8Array): number | undefined {
  const dash = 0x2d;
  const newline = 0x0a;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) {
    if (bytes[at + 1] !== dash || bytes[at + 2] !== dash || bytes[at + 3] !== dash) continue;
    const end = bytes.indexOf(newline, at + 1);
    return end < 0 ? undefined : end + 1;
  }
  return undefined;
}

function damaged(why: string): AppError {
  return new AppError("corrupt", `the encrypted archive is damaged or truncated: ${why}`);
}
