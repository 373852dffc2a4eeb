import { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { toRanges } from "../archive/manifest.ts";

/**
 * Which entries of a job's chain were sent to destinations that give nothing back: each service has confirmed all files
 * of the archive, and nobody has read them. Less than a receipt, which it never becomes; no manifest states it.
 *
 *     <state>/<job>/sent.json    {destination: [[first, last], …]}
 */
export class Sent {
  readonly #world: World;
  readonly #path: string;
  readonly #sent: Map<string, Set<number>>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(world: World, path: string, sent: Map<string, Set<number>>) {
    this.#world = world;
    this.#path = path;
    this.#sent = sent;
  }

  /**
   * Reads what is noted in the state folder of a job; nothing where nothing was sent in this way.
   *
   * @throws `corrupt`
   */
  static async load(world: World, folder: string): Promise<Sent> {
    const path = `${folder}/sent.json`;
    try {
      const stored = parsed(await world.files.read(path, LIMIT), path);
      const sets = Object.entries(stored).map(([name, ranges]) => [name, new Set(within(ranges))] as const);
      return new Sent(world, path, new Map(sets));
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error;
      return Sent.none(world, folder);
    }
  }

  /** Nothing is noted yet. */
  static none(world: World, folder: string): Sent {
    return new Sent(world, `${folder}/sent.json`, new Map());
  }

  get hasAny(): boolean {
    return this.#sent.size > 0;
  }

  has(destination: string, sequence: number): boolean {
    return this.#sent.get(destination)?.has(sequence) ?? false;
  }

  /** Notes, durably, that all of an archive was sent. */
  async add(destination: string, sequence: number): Promise<void> {
    this.#sent.set(destination, (this.#sent.get(destination) ?? new Set()).add(sequence));
    // One after the other: destinations finish at the same time, and the last to write must know all.
    const write = () => {
      const stored = Object.fromEntries([...this.#sent].map(([name, all]) => [name, toRanges(all)]));
      return writeDurably(this.#world, this.#path, utf8(JSON.stringify(stored) + "\n"), {
        mode: "replace",
        bits: 0o600,
      });
    };
    this.#writing = this.#writing.then(write, write);
    await this.#writing;
  }
}

const LIMIT = 1024 * 1024;
const position = z.int().positive().max(9_999_999);
const schema = z.record(z.string(), z.array(z.tuple([position, position])));

function parsed(bytes: Uint8Array, path: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(fromUtf8(bytes, "the file")));
  } catch (cause) {
    throw new AppError("corrupt", `${quoted(path)} is damaged`, { cause });
  }
}

function* within(ranges: readonly [number, number][]): Generator<number> {
  for (const [first, last] of ranges) for (let at = first; at <= last; at++) yield at;
}
