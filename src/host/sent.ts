import { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

/**
 * Which entries of a job were sent to destinations that give nothing back: each service has confirmed all files, and
 * nobody has read them. Less than a receipt, which it never becomes; no manifest states it.
 *
 *     <state>/<job>/sent.json    {destination: {file name: its number, …}}
 *
 * By file name, which is never used twice: in a state that was put together from different times a number may mean
 * another archive.
 */
export class Sent {
  readonly #world: World;
  readonly #path: string;
  readonly #sent: Map<string, Map<string, number>>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(world: World, path: string, sent: Map<string, Map<string, number>>) {
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
      const maps = Object.entries(stored).map(([name, all]) => [name, new Map(Object.entries(all))] as const);
      return new Sent(world, path, new Map(maps));
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error;
      return Sent.none(world, folder);
    }
  }

  /** Nothing is noted yet. */
  static none(world: World, folder: string): Sent {
    return new Sent(world, `${folder}/sent.json`, new Map());
  }

  /** The highest number that anything sent had; above the head of the chain, entries have been lost. */
  get highest(): number {
    return Math.max(0, ...[...this.#sent.values()].flatMap((all) => [...all.values()]));
  }

  /** Whether the archive or record of this file name was sent. */
  has(destination: string, name: string): boolean {
    return this.#sent.get(destination)?.has(name) ?? false;
  }

  /** Notes, durably, that all of it was sent; with number 0 where it is of a chain that was set aside. */
  async add(destination: string, name: string, sequence: number): Promise<void> {
    const all = (this.#sent.get(destination) ?? new Map<string, number>()).set(name, sequence);
    const newest = [...all].sort(([, a], [, b]) => a - b).slice(-MOST);
    this.#sent.set(destination, new Map(newest));
    // One after the other: destinations finish at the same time, and the last to write must know all.
    const write = () => {
      const stored = Object.fromEntries([...this.#sent].map(([to, all]) => [to, Object.fromEntries(all)]));
      return writeDurably(this.#world, this.#path, utf8(JSON.stringify(stored) + "\n"), {
        mode: "replace",
        bits: 0o600,
      });
    };
    this.#writing = this.#writing.then(write, write);
    await this.#writing;
  }
}

/** Names that are kept for a destination: far more than may wait in a spool. An older record is sent once more. */
const MOST = 2000;
const LIMIT = 8 * 1024 * 1024;
const schema = z.record(z.string(), z.record(z.string(), z.int().nonnegative().max(9_999_999)));

function parsed(bytes: Uint8Array, path: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(fromUtf8(bytes, "the file")));
  } catch (cause) {
    throw new AppError("corrupt", `${quoted(path)} is damaged`, { cause });
  }
}
