import { createTarDecoder } from "modern-tar";
import { streamFrom } from "../../base/bytes.ts";
import { AppError } from "../../base/errors.ts";

/** One entry met while unpacking; `body` must be read or cancelled before the next one is asked for. */
export interface TarEntry {
  path: string;
  size: number;
  body: ReadableStream<Uint8Array>;
}

/**
 * The entries of a tar stream. Throws `corrupt` on a damaged or truncated tar, on anything but regular files
 * (our archives hold nothing else, so a link or device is somebody's trick) and on bytes after its end.
 */
export async function* unpackTar(tar: ReadableStream<Uint8Array>): AsyncGenerator<TarEntry> {
  const tail = new LastBlock();
  try {
    for await (
      const { header, body } of tar.pipeThrough(tail.watch()).pipeThrough(createTarDecoder({ strict: true }))
    ) {
      if (header.type !== "file") {
        throw new AppError("corrupt", "the archive holds something that is not a regular file");
      }
      yield { path: header.name, size: header.size, body: streamFrom(body.getReader(), damaged) };
    }
  } catch (cause) {
    throw damaged(cause);
  }
  if (!tail.isZero()) throw new AppError("corrupt", "the archive has bytes after the end of its tar");
}

function damaged(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  return new AppError("corrupt", "the tar inside the archive is damaged", { cause });
}

/** A tar ends in blocks of zeros; decoders stop at the first and would not see what somebody put behind them. */
class LastBlock {
  #last = new Uint8Array(0);

  watch(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (bytes, controller) => {
        if (bytes.length >= 512) this.#last = bytes.slice(-512);
        else if (bytes.length > 0) {
          const joined = new Uint8Array(this.#last.length + bytes.length);
          joined.set(this.#last);
          joined.set(bytes, this.#last.length);
          this.#last = joined.slice(-512);
        }
        controller.enqueue(bytes);
      },
    });
  }

  isZero(): boolean {
    return this.#last.length === 512 && this.#last.every((byte) => byte === 0);
  }
}
