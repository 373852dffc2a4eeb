import { concat, streamOf } from "../../../../src/base/bytes.ts";
import { type AppError, isAppError, throwIfCancelled } from "../../../../src/base/errors.ts";
import { Sha256 } from "../../../../src/base/hash.ts";
import type { RunningProgram } from "../../../../src/base/world.ts";
import type { Item, ItemFile } from "../../../../src/model/item.ts";
import type { SourceContext } from "../../../../src/source/plugin.ts";
import { opFailure } from "../op/errors.ts";
import type { Op } from "../op/program.ts";
import { type Request, requestFor } from "./request.ts";
import { isDeclared, type WrittenFile, writtenFile } from "./written_file.ts";

/** Bytes that are held back until it is clear whether they are the file. */
const HELD = 1024 * 1024;

/**
 * The bodies of files. They come through standard output, which leaves nothing on a disk. `op` is made for terminals,
 * though: it may add a line feed, and versions of it have damaged what is no text. So the number of bytes decides. Two
 * things count as the file: exactly as many as the item says; and one more, a line feed, which is cut off, because
 * the item's own number and what `op` is known to add explain it together. Anything else is asked for once more,
 * through a file in a private folder.
 */
export class Bodies {
  constructor(readonly op: Op, readonly context: Pick<SourceContext, "world" | "privateFolder">) {}

  /** @throws what keeps the body from beginning; what happens later is an error of the stream */
  open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const request = requestFor(item, file);
    return this.op.patiently(signal, () => this.#open(request, signal));
  }

  async #open(request: Request, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const call = this.op.start(request.args, signal);
    let goesOn = false;
    let failure: AppError | undefined;
    const held: Uint8Array[] = [];
    try {
      const reader = call.stdout.getReader();
      let length = 0;
      let ended = false;
      while (!ended && length <= HELD) {
        const { value } = await reader.read();
        if (value) held.push(value), length += value.length;
        else ended = true;
      }
      if (ended) failure = this.op.judge(await call.ended)?.error;
      else if (length > request.size + 1) failure = opFailure("unknown", "op gives more than its item says");
      else {
        goesOn = true;
        return streamFrom(this.#long(request, call, held, reader, signal), () => call[Symbol.asyncDispose]());
      }
    } catch (error) {
      throw this.op.translated(error);
    } finally {
      if (!goesOn) await call[Symbol.asyncDispose]();
    }
    const body = concat(held);
    if (!failure && isDeclared(body.length, request.size, body)) {
      return streamOf(body.subarray(0, request.size));
    }
    if (failure && !isAppError(failure, "unknown")) throw failure;
    return await this.#otherwise(request, failure, body, signal);
  }

  /** The second attempt at a body of which nothing was handed on yet. */
  async #otherwise(
    request: Request,
    failure: AppError | undefined,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    try {
      const file = await writtenFile(this.op, this.context, request.toFile, signal);
      return streamFrom(file.bytes(0, request.size), () => file[Symbol.asyncDispose]());
    } catch (error) {
      throwIfCancelled(signal);
      if (isAppError(error, "quota")) throw error;
      // What came first is kept: that it is not what the item says, the caller will see.
      if (!failure) return streamOf(body);
      throw failure;
    }
  }

  /** A body too long to be held: handed on as it comes, but never more of it than the item says. */
  async *#long(
    request: Request,
    call: RunningProgram,
    held: readonly Uint8Array[],
    reader: ReadableStreamDefaultReader<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const passed = new Sha256();
    let over: Uint8Array = new Uint8Array(0);
    try {
      for await (const part of following(held, reader)) {
        const fits = part.subarray(0, request.size - passed.size);
        if (fits.length < part.length) over = concat([over, part.subarray(fits.length)]);
        if (over.length > 1) break;
        if (fits.length === 0) continue;
        passed.update(fits);
        yield fits;
      }
      const failure = over.length > 1 ? undefined : this.op.judge(await call.ended)?.error;
      if (failure && !isAppError(failure, "unknown", "transient")) throw failure;
      const whole = passed.size === request.size;
      if (!failure && whole && isDeclared(request.size + over.length, request.size, over)) return;
    } catch (error) {
      throw this.op.translated(error);
    } finally {
      await call[Symbol.asyncDispose]();
    }
    await using file = await writtenFile(this.op, this.context, request.toFile, signal);
    yield* rest(file, passed, request.size);
  }
}

/** What is still lacking of a body, once it is certain that the file begins with what was handed on. */
async function* rest(file: WrittenFile, passed: Sha256, size: number): AsyncGenerator<Uint8Array> {
  const again = new Sha256();
  const start = passed.size;
  for await (const part of await file.stream(0, Math.min(start, file.size))) again.update(part);
  if (again.size !== start || again.hex() !== passed.hex()) {
    throw opFailure("unknown", "op gave two different bodies for it");
  }
  yield* file.bytes(start, size);
}

async function* following(
  held: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* held;
  for (let part = await reader.read(); part.value; part = await reader.read()) yield part.value;
}

/** A stream of `parts`, at the pace of its reader; `letGo` is called in any case, even if nobody ever reads. */
function streamFrom(
  parts: AsyncGenerator<Uint8Array>,
  letGo: () => PromiseLike<void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value } = await parts.next();
        if (value) return controller.enqueue(value);
        await letGo();
        controller.close();
      } catch (error) {
        await letGo();
        controller.error(error);
      }
    },
    async cancel() {
      await letGo();
      await parts.return(undefined);
    },
  }, { highWaterMark: 0 });
}
