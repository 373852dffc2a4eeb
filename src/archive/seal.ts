import { Decrypter, Encrypter } from "age-encryption";
import { AppError } from "../base/errors.ts";

/**
 * Encrypts to age recipients (`age1…`), which have been checked before (custody/recipients.ts).
 * The output is a plain age file: every age program opens it.
 */
export async function seal(
  plain: ReadableStream<Uint8Array>,
  recipients: readonly string[],
): Promise<ReadableStream<Uint8Array>> {
  if (recipients.length === 0) throw new AppError("misconfigured", "there is no recipient to seal to");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return await encrypter.encrypt(plain);
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
): Promise<ReadableStream<Uint8Array>> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  let plain: ReadableStream<Uint8Array>;
  try {
    plain = await decrypter.decrypt(sealed);
  } catch (cause) {
    if (cause instanceof Error && cause.message.startsWith("no identity matched")) {
      throw new AppError("wrong-identity", "this identity does not open the archive", { cause });
    }
    throw damaged(cause);
  }
  const reader = plain.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        throw damaged(cause);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function damaged(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError("corrupt", "the encrypted archive is damaged or truncated", { cause });
}
