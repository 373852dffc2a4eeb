import type { Files } from "../../../../src/base/world.ts";
import type { PrivateFolder, SourceContext } from "../../../../src/source/plugin.ts";
import { opFailure } from "../op/errors.ts";
import type { Op } from "../op/program.ts";

const LINE_FEED = 0x0a;

/** A body that `op` wrote into a private folder, which is wiped with it. */
export class WrittenFile implements AsyncDisposable {
  #folder: PrivateFolder | undefined;

  constructor(readonly files: Files, folder: PrivateFolder, readonly path: string, readonly size: number) {
    this.#folder = folder;
  }

  /** Bytes `start` (inclusive) to `end` (exclusive). */
  stream(start: number, end: number): Promise<ReadableStream<Uint8Array>> {
    return this.files.stream(this.path, { start, end });
  }

  /** The body from `start` on, without the line feed that `op` may have added to it. */
  async *bytes(start: number, declared: number): AsyncGenerator<Uint8Array> {
    const end = this.size === declared + 1 && await this.#endsInLineFeed() ? declared : this.size;
    if (end > start) yield* await this.stream(start, end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    await folder?.[Symbol.asyncDispose]();
  }

  async #endsInLineFeed(): Promise<boolean> {
    const last = await new Response(await this.stream(this.size - 1, this.size)).bytes();
    return isDeclared(this.size, this.size - 1, last);
  }
}

/** Has `op` write a body into a private folder. */
export async function writtenFile(
  op: Op,
  context: Pick<SourceContext, "world" | "privateFolder">,
  args: readonly string[],
  signal: AbortSignal,
): Promise<WrittenFile> {
  const { files } = context.world;
  const folder = await madeFolder(context);
  try {
    const path = `${folder.path}/body`;
    await using call = op.start([...args, "--out-file", path, "--force"], signal);
    for await (const _ of call.stdout); // it says where it wrote to
    const failure = op.judge(await call.ended);
    if (failure) throw failure.error;
    const { size } = await files.stat(path);
    return new WrittenFile(files, folder, path, size);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw op.translated(error);
  }
}

/** That there is no place for it is no limit of this door, but something that is amiss. */
async function madeFolder(context: Pick<SourceContext, "privateFolder">): Promise<PrivateFolder> {
  try {
    return await context.privateFolder();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw opFailure("unknown", `there is no private folder for op to write to: ${reason}`, { cause });
  }
}

/** Whether so many bytes are the file: as many as declared, or with a line feed more, the last of `tail`. */
export function isDeclared(length: number, declared: number, tail: Uint8Array): boolean {
  return length === declared || (length === declared + 1 && tail.at(-1) === LINE_FEED);
}
