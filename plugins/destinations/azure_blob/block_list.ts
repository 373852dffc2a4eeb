import { createHash } from "node:crypto";
import { base64, concat } from "../../../src/base/bytes.ts";
import { AppError, cancellation, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { type Block, blocksOf } from "../../../src/destination/body.ts";
import { isRefusal } from "./refusals.ts";
import { confirm, howToStore, type Upload } from "./sending.ts";
import { IN_FLIGHT, incomplete, type Service } from "./service.ts";

/** Bytes of a block's id. All ids of a blob have one length, those of uploads that died among them. */
const ID = 18;

/** An upload in blocks, a few of which are on their way at once, and which nobody sees before the last request. */
export class BlockList {
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #staged: string[] = [];
  #idLength = ID;
  #random: Uint8Array;

  constructor(readonly service: Service, readonly upload: Upload) {
    this.#signal = AbortSignal.any([upload.signal, this.#stop.signal]);
    // Two uploads of one name, on two machines, must not put blocks into each other's list.
    this.#random = service.parts.random(ID);
  }

  /** Sends all of the body in blocks of `size` bytes and publishes it; what stays after an error is dropped by Azure. */
  async run(size: number): Promise<string> {
    const { key, body, signal } = this.upload;
    const blocks = blocksOf(key, body, size, this.#signal);
    try {
      // The first one alone: it shows which ids are taken here.
      const { value: first } = await blocks.next();
      if (first) await this.#stageFirst(first, size);
      const width = Math.max(1, Math.floor(IN_FLIGHT / size));
      await Promise.all(Array.from({ length: width }, () => this.#work(blocks, size)));
      throwIfCancelled(this.#signal);
      return await this.#commit();
    } catch (error) {
      throw signal.aborted ? cancellation(signal) : error;
    } finally {
      this.#stop.abort();
      await blocks.return();
    }
  }

  /** Sends one block after the other, as they come; several do this at once. What fails first ends all. */
  async #work(blocks: AsyncGenerator<Block, void>, size: number): Promise<void> {
    try {
      for (let next = await blocks.next(); !next.done; next = await blocks.next()) {
        await this.#stage(next.value, size);
      }
    } catch (error) {
      const first = this.#stop.signal.aborted ? this.#stop.signal.reason : error;
      this.#stop.abort(first);
      throw first;
    }
  }

  async #stageFirst(block: Block, size: number): Promise<void> {
    try {
      await this.#stage(block, size);
    } catch (error) {
      if (!isRefusal(error, "InvalidBlobOrBlock")) throw error;
      this.#idLength = await this.#lengthOfLeftovers();
      await this.#stage(block, size);
    }
  }

  async #stage({ bytes, start, release }: Block, size: number): Promise<void> {
    const { upload: { key, name } } = this, number = start / size, id = this.#id(number);
    const md5 = new Uint8Array(createHash("md5").update(bytes).digest());
    const { contentMD5 } = await this.service.call(
      { what: key, signal: this.#signal, needs: "w", sends: IN_FLIGHT },
      (container, options) =>
        container.getBlockBlobClient(name).stageBlock(id, bytes, bytes.length, {
          ...options,
          transactionalContentMD5: md5,
        }),
    );
    confirm(key, md5, contentMD5);
    this.#staged[number] = id;
    release();
  }

  async #commit(): Promise<string> {
    const { upload, upload: { key, name, signal } } = this;
    try {
      const { etag } = await this.service.call(
        { what: key, signal, needs: "w" },
        (container, options) =>
          container.getBlockBlobClient(name).commitBlockList(this.#staged, {
            ...options,
            ...howToStore(upload),
          }),
      );
      if (!etag) throw incomplete(quoted(key));
      return etag;
    } catch (error) {
      // Whatever publishes a blob drops all blocks that it does not use: looking again tells.
      if (!isRefusal(error, "InvalidBlockList")) throw error;
      throw new AppError("transient", `the service has lost blocks of ${quoted(key)}`, { cause: error });
    }
  }

  #id(number: number): string {
    const index = new Uint8Array([number >> 8, number & 0xff]);
    return base64(concat([this.#random.subarray(0, this.#idLength - index.length), index]));
  }

  /** How long the ids are that an upload of another program has left here. */
  async #lengthOfLeftovers(): Promise<number> {
    const { key, name } = this.upload;
    const list = await this.service.call(
      { what: key, signal: this.#signal, needs: "r" },
      (container, options) => container.getBlockBlobClient(name).getBlockList("uncommitted", options),
    );
    const length = atob(list.uncommittedBlocks?.[0]?.name ?? "").length;
    if (length < 6 || length > 64) {
      throw new AppError(
        "unsupported",
        `an upload of another program has left blocks with short ids under ${quoted(key)}`,
        {
          hint: "Azure drops them after a week",
        },
      );
    }
    this.#random = this.service.parts.random(length);
    return length;
  }
}
