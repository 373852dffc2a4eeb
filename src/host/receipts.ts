import { z } from "zod";
import { isAppError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import type { World } from "../base/world.ts";
import { toRanges } from "../archive/manifest.ts";
import { readJson } from "./entries.ts";

const position = z.int().positive().max(9_999_999);
const stored = z.record(z.string(), z.array(z.tuple([position, position])));

/** Receipts as a manifest states them: by destination, the sequence numbers that it gave back, as closed ranges. */
export type ReceiptRanges = Record<string, [number, number][]>;

/** Which destination has given back which entries unharmed; `receipts.json` of a job's state. */
export class Receipts {
  readonly #world: World;
  readonly #path: string;
  readonly #by: Map<string, Set<number>>;
  readonly #lookOnly: boolean;
  #writing: Promise<void> = Promise.resolve();

  private constructor(world: World, path: string, by: Map<string, Set<number>>, lookOnly: boolean) {
    this.#world = world;
    this.#path = path;
    this.#by = by;
    this.#lookOnly = lookOnly;
  }

  /** With `lookOnly` nothing is ever written. */
  static async load(
    world: World,
    path: string,
    { lookOnly = false }: { lookOnly?: boolean } = {},
  ): Promise<Receipts> {
    const receipts = new Receipts(world, path, new Map(), lookOnly);
    try {
      receipts.#merge(await readJson(world, path, stored));
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error;
    }
    return receipts;
  }

  /** What a signed entry states, where the file itself is damaged; the next receipt replaces that. */
  static of(
    world: World,
    path: string,
    ranges: ReceiptRanges,
    { lookOnly = false }: { lookOnly?: boolean } = {},
  ): Receipts {
    const receipts = new Receipts(world, path, new Map(), lookOnly);
    receipts.#merge(ranges);
    return receipts;
  }

  /** Writes what is known, where a damaged file is to be replaced. */
  keep(): Promise<void> {
    return this.#write();
  }

  has(destination: string, sequence: number): boolean {
    return this.#by.get(destination)?.has(sequence) ?? false;
  }

  /** Whether this destination has ever given anything back. */
  hasAny(destination: string): boolean {
    return (this.#by.get(destination)?.size ?? 0) > 0;
  }

  /** The highest sequence number that any receipt names. */
  get highest(): number {
    let highest = 0;
    for (const sequences of this.#by.values()) {
      for (const sequence of sequences) highest = Math.max(highest, sequence);
    }
    return highest;
  }

  async add(destination: string, sequence: number): Promise<void> {
    this.#merge({ [destination]: [[sequence, sequence]] });
    await this.#write();
  }

  /** Takes over what a signed entry states. */
  async merge(ranges: ReceiptRanges): Promise<void> {
    if (this.#merge(ranges)) await this.#write();
  }

  ranges(): ReceiptRanges {
    return Object.fromEntries([...this.#by].map(([name, sequences]) => [name, toRanges(sequences)]));
  }

  /** Whether anything is new. */
  #merge(ranges: ReceiptRanges): boolean {
    let news = false;
    for (const [destination, pairs] of Object.entries(ranges)) {
      const sequences = this.#by.get(destination) ?? new Set<number>();
      this.#by.set(destination, sequences);
      const before = sequences.size;
      for (const [first, last] of pairs) for (let at = first; at <= last; at++) sequences.add(at);
      news ||= sequences.size > before;
    }
    return news;
  }

  /** One after the other: destinations finish at the same time, and the last to write must know all receipts. */
  async #write(): Promise<void> {
    if (this.#lookOnly) return;
    const write = () =>
      writeDurably(this.#world, this.#path, utf8(JSON.stringify(this.ranges()) + "\n"), {
        mode: "replace",
        bits: 0o600,
      });
    this.#writing = this.#writing.then(write, write);
    await this.#writing;
  }
}
