import { Encrypter } from "age-encryption";
import { concat, streamFrom } from "../../base/bytes.ts";
import { AppError } from "../../base/errors.ts";
import { Parts } from "../../base/parts.ts";
import type { Compression } from "../../model/archive_name.ts";
import {
  newHeader,
  openHeader,
  PAYLOAD_NONCE,
  payloadKey,
  readHeader,
  withIdentities,
} from "./age_header.ts";
import { compress } from "../compress.ts";
import { decryptPayload, encryptPayload, nativeCipherWorks } from "./age_payload.ts";
import { type Sealed, sealOnThread } from "./thread.ts";

/** Which cipher does the payload: the runtime's, or the age library's own where that one does not work. */
export type Engine = "native" | "library";

/** The engine for this runtime. */
export function engine(): Engine {
  return nativeCipherWorks() ? "native" : "library";
}

export interface SealOptions {
  by?: Engine | undefined;
  compression?: Compression | undefined;
  /**
   * Whether to do it on a thread of its own, which takes half the time and some 40 MiB of memory: for a source that is
   * faster than encryption. One behind a network is not.
   */
  thread?: boolean | undefined;
}

/**
 * Compresses, where that is asked for, and encrypts to age recipients (`age1…`), which have been checked before
 * (custody/recipients.ts).
 * The output is a plain age file: every age program opens it.
 */
export async function seal(
  plain: ReadableStream<Uint8Array>,
  recipients: readonly string[],
  { by = engine(), compression, thread = false }: SealOptions = {},
): Promise<Sealed> {
  if (recipients.length === 0) throw new AppError("misconfigured", "there is no recipient to seal to");
  if (by === "library") {
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    return { ciphertext: await encrypter.encrypt(compression ? compress(plain, compression) : plain) };
  }
  if (thread) return await sealOnThread(plain, () => beginning(recipients), compression);
  const { head, key } = await beginning(recipients);
  const payload = encryptPayload(new Parts(compression ? compress(plain, compression) : plain), key);
  return { ciphertext: ReadableStream.from(following(head, payload)) };
}

/** What stands before the payload, and the payload's key. */
async function beginning(
  recipients: readonly string[],
): Promise<{ head: Uint8Array<ArrayBuffer>; key: Uint8Array }> {
  const { header, fileKey } = await newHeader(recipients);
  const nonce = crypto.getRandomValues(new Uint8Array(PAYLOAD_NONCE));
  const key = payloadKey(fileKey, nonce);
  fileKey.fill(0);
  return { head: concat([header, nonce]), key };
}

/**
 * Opens an age file with any of the identities.
 *
 * age authenticates piece by piece: what comes out before the last piece is genuine, but may be cut short.
 * So nothing is released to a restore before a whole pass has succeeded (read.ts).
 *
 * @throws `wrong-identity` when no identity fits, `corrupt` when the file is damaged or truncated.
 */
export async function unseal(
  sealed: ReadableStream<Uint8Array>,
  identities: readonly string[],
  by: Engine = engine(),
): Promise<ReadableStream<Uint8Array>> {
  try {
    if (by === "library") {
      const plain = await withIdentities(identities, (decrypter) => decrypter.decrypt(sealed));
      return streamFrom(plain.getReader(), damaged);
    }
    const reader = sealed.getReader();
    try {
      const { header, nonce, rest } = await readHeader(reader);
      const key = payloadKey(await openHeader(header, identities), nonce);
      const payload = ReadableStream.from(decryptPayload(following(rest, streamFrom(reader)), key));
      return streamFrom(payload.getReader(), damaged);
    } catch (error) {
      await reader.cancel(error);
      throw error;
    }
  } catch (cause) {
    if (cause instanceof Error && cause.message.startsWith("no identity matched")) {
      throw new AppError("wrong-identity", "this identity does not open the archive", { cause });
    }
    throw damaged(cause);
  }
}

async function* following(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* rest;
}

function damaged(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError("corrupt", "the encrypted archive is damaged or truncated", { cause });
}
