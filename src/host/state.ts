import { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, hex, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { type Head, headOf, type SignedManifest } from "../archive/chain.ts";
import { decodeManifest, MANIFEST_LIMIT, toRanges } from "../archive/manifest.ts";
import { verify } from "../archive/signature.ts";

/**
 * What a host remembers of a job between runs: the chain of entries it has signed, and which destination has
 * given back which of them unharmed (receipts). All of it is public; losing it loses no archive.
 *
 *     <state>/<job>/chain/00000001.json    one signed entry a file: {manifest, signature}
 *     <state>/<job>/receipts.json          {destination: [[first, last], …]}
 */
export class JobState {
  readonly #world: World;
  readonly #folder: string;
  #sequences: number[];
  #head: Head | undefined;
  #receipts: Map<string, Set<number>>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    world: World,
    folder: string,
    sequences: number[],
    head: Head | undefined,
    receipts: Map<string, Set<number>>,
  ) {
    this.#world = world;
    this.#folder = folder;
    this.#sequences = sequences;
    this.#head = head;
    this.#receipts = receipts;
  }

  /** Reads the state of a job in `folder`; an absent folder is a host that has not run yet. */
  static async load(world: World, folder: string): Promise<JobState> {
    const sequences = await sequencesIn(world, `${folder}/chain`);
    const last = sequences.at(-1);
    const head = last === undefined ? undefined : headOf(await readEntry(world, folder, last));
    return new JobState(world, folder, sequences, head, await readReceipts(world, folder));
  }

  /** The newest entry signed here. */
  get head(): Head | undefined {
    return this.#head;
  }

  /** Sequence numbers of the entries signed here, ascending. */
  get sequences(): readonly number[] {
    return this.#sequences;
  }

  /** The name of a chain that begins now. */
  newChainId(): string {
    return hex(this.#world.random(16));
  }

  entry(sequence: number): Promise<SignedManifest> {
    return readEntry(this.#world, this.#folder, sequence);
  }

  /** Makes `entry` the head, durably; a sequence number that was used once is never used again. */
  async commit(entry: SignedManifest): Promise<void> {
    const { sequence } = entry.manifest;
    if (sequence !== (this.#head?.sequence ?? 0) + 1) {
      throw new AppError("corrupt", `entry ${sequence} does not follow the head of this chain`);
    }
    const stored = JSON.stringify({
      manifest: fromUtf8(entry.bytes, "the manifest"),
      signature: entry.signature,
    });
    await this.#world.files.makeFolder(`${this.#folder}/chain`, 0o700);
    await writeDurably(this.#world, entryPath(this.#folder, sequence), utf8(stored + "\n"), {
      mode: "new",
      bits: 0o600,
    });
    this.#head = headOf(entry);
    this.#sequences = [...this.#sequences, sequence];
  }

  hasReceipt(destination: string, sequence: number): boolean {
    return this.#receipts.get(destination)?.has(sequence) ?? false;
  }

  /** The highest sequence number that any receipt names; above the head, entries have been lost. */
  get highestReceipt(): number {
    let highest = 0;
    for (const sequences of this.#receipts.values()) {
      for (const sequence of sequences) highest = Math.max(highest, sequence);
    }
    return highest;
  }

  /** Notes, durably, that this destination gave the archive back unharmed. */
  async addReceipt(destination: string, sequence: number): Promise<void> {
    const sequences = this.#receipts.get(destination) ?? new Set();
    this.#receipts.set(destination, sequences.add(sequence));
    // One after the other: destinations finish at the same time, and the last to write must know all receipts.
    const write = () =>
      writeDurably(
        this.#world,
        `${this.#folder}/receipts.json`,
        utf8(JSON.stringify(this.receipts()) + "\n"),
        {
          mode: "replace",
          bits: 0o600,
        },
      );
    this.#writing = this.#writing.then(write, write);
    await this.#writing;
  }

  /** Receipts as a manifest states them. */
  receipts(): Record<string, [number, number][]> {
    return Object.fromEntries([...this.#receipts].map(([name, sequences]) => [name, toRanges(sequences)]));
  }
}

const NAME = /^(\d{8,})\.json$/;

function entryPath(folder: string, sequence: number): string {
  return `${folder}/chain/${String(sequence).padStart(8, "0")}.json`;
}

async function sequencesIn(world: World, folder: string): Promise<number[]> {
  let names: string[];
  try {
    names = await world.files.names(folder);
  } catch (error) {
    if (isAppError(error, "not-found")) return [];
    throw error;
  }
  return names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

const storedEntry = z.object({ manifest: z.string(), signature: z.string() });

/** Checks the signature too: an entry that was damaged here would break the chain for every reader after it. */
async function readEntry(world: World, folder: string, sequence: number): Promise<SignedManifest> {
  const path = entryPath(folder, sequence);
  const stored = await readJson(world, path, storedEntry);
  const bytes = utf8(stored.manifest);
  try {
    const { fingerprint } = await verify(bytes, stored.signature);
    const manifest = decodeManifest(bytes);
    if (manifest.sequence === sequence && manifest.signer === fingerprint) {
      return { manifest, bytes, signature: stored.signature };
    }
  } catch (cause) {
    if (isAppError(cause, "corrupt")) throw damaged(path, cause);
    throw cause;
  }
  throw new AppError("corrupt", `${quoted(path)} holds another entry`, { hint: RESTORE });
}

const position = z.int().positive().max(9_999_999);
const storedReceipts = z.record(z.string(), z.array(z.tuple([position, position])));

async function readReceipts(world: World, folder: string): Promise<Map<string, Set<number>>> {
  const receipts = new Map<string, Set<number>>();
  try {
    const stored = await readJson(world, `${folder}/receipts.json`, storedReceipts);
    for (const [destination, ranges] of Object.entries(stored)) {
      const sequences = new Set<number>();
      for (const [first, last] of ranges) for (let at = first; at <= last; at++) sequences.add(at);
      receipts.set(destination, sequences);
    }
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
  return receipts;
}

async function readJson<T>(world: World, path: string, schema: z.ZodType<T>): Promise<T> {
  const bytes = await world.files.read(path, 2 * MANIFEST_LIMIT);
  try {
    return schema.parse(JSON.parse(fromUtf8(bytes, "the file")));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

const RESTORE = "restore the state folder from a copy";

function damaged(path: string, cause: unknown): AppError {
  return new AppError("corrupt", `${quoted(path)} is damaged`, { hint: RESTORE, cause });
}
