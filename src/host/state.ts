import { AppError, isAppError } from "../base/errors.ts";
import { hex } from "../base/bytes.ts";
import type { World } from "../base/world.ts";
import { type Head, headOf, type SignedManifest, type SignedRecord, signerAfter } from "../archive/chain.ts";
import type { Place } from "../archive/manifest.ts";
import { parseSignerKey, type SignerKey } from "../archive/signature.ts";
import { runOf } from "../model/archive_name.ts";
import { type Indexed, indexedOf, indexEntries, readEntry, sequencesIn, writeEntry } from "./entries.ts";
import { type ReceiptRanges, Receipts } from "./receipts.ts";
import { setAsideEntry, setAsideRecipients } from "./set_aside.ts";

/**
 * What a host remembers of a job between runs: the chain of entries it has signed, and which destination has
 * given back which of them unharmed (receipts). All of it is public; losing it loses no archive.
 *
 *     <state>/<job>/chain/00000001.json    one signed entry a file: {manifest, signature}
 *     <state>/<job>/receipts.json          {destination: [[first, last], …]}
 *
 * What was accepted, trusted and left open is not kept beside the chain but read out of it: nobody changes it without
 * the signing key.
 */
export class JobState {
  readonly #world: World;
  readonly #folder: string;
  readonly #receipts: Receipts;
  readonly #damage: AppError | undefined;
  /** Entries that were taken over where nothing may be written; undefined where they are written. */
  readonly #unkept: Map<number, SignedManifest> | undefined;
  readonly #names: Map<string, number>;
  #index: Indexed[];
  #sequences: number[];
  #newest: SignedManifest | undefined;

  private constructor(
    world: World,
    folder: string,
    known: {
      sequences: number[];
      index: Indexed[];
      newest: SignedManifest | undefined;
      receipts: Receipts;
      damage: AppError | undefined;
      unkept: Map<number, SignedManifest> | undefined;
    },
  ) {
    this.#world = world;
    this.#folder = folder;
    this.#sequences = known.sequences;
    this.#index = known.index;
    this.#names = new Map(known.index.map(({ name, sequence }) => [name, sequence]));
    this.#newest = known.newest;
    this.#receipts = known.receipts;
    this.#damage = known.damage;
    this.#unkept = known.unkept;
  }

  /**
   * Reads the state of a job in `folder`; an absent folder is a host that has not run yet. Damaged receipts are no loss:
   * the newest entry states all but the last of them.
   *
   * @param lookOnly what it takes over is known to it alone, and nothing is written
   * @throws `corrupt` where the chain cannot go on
   */
  static async load(
    world: World,
    folder: string,
    { lookOnly = false }: { lookOnly?: boolean } = {},
  ): Promise<JobState> {
    const chain = `${folder}/chain`;
    const sequences = await sequencesIn(world, chain);
    const last = sequences.at(-1);
    const newest = last === undefined ? undefined : await readEntry(world, chain, last);
    const index = await indexEntries(world, chain, sequences);
    const path = `${folder}/receipts.json`;
    let receipts: Receipts, damage: AppError | undefined;
    try {
      receipts = await Receipts.load(world, path, { lookOnly });
    } catch (error) {
      if (!newest || !isAppError(error, "corrupt")) throw error;
      receipts = Receipts.of(world, path, newest.manifest.receipts, { lookOnly });
      damage = error;
    }
    const unkept = lookOnly ? new Map<number, SignedManifest>() : undefined;
    return new JobState(world, folder, { sequences, newest, index, receipts, damage, unkept });
  }

  /** What a host that begins anew knows, to look with: nothing is written. */
  static blank(world: World, folder: string): JobState {
    const receipts = Receipts.of(world, `${folder}/receipts.json`, {}, { lookOnly: true });
    const nothing = { sequences: [], newest: undefined, index: [], damage: undefined };
    return new JobState(world, folder, { ...nothing, receipts, unkept: new Map() });
  }

  /** Replaces damaged receipts by what the newest entry states; returns what was wrong with them, where anything was. */
  async mendReceipts(): Promise<AppError | undefined> {
    if (this.#damage) await this.#receipts.keep();
    return this.#damage;
  }

  /** The newest entry signed here. */
  get head(): Head | undefined {
    return this.#newest && headOf(this.#newest);
  }

  /** Sequence numbers of the entries signed here, ascending. */
  get sequences(): readonly number[] {
    return this.#sequences;
  }

  /** The name of a chain that begins now. */
  newChainId(): string {
    return hex(this.#world.random(16));
  }

  async entry(sequence: number): Promise<SignedManifest> {
    return this.#unkept?.get(sequence) ?? await readEntry(this.#world, `${this.#folder}/chain`, sequence);
  }

  /** The number of the entry whose archive or record has this file name. */
  sequenceOf(name: string): number | undefined {
    return this.#names.get(name);
  }

  /** Makes `entry` the head, durably; a sequence number that was used once is never used again. */
  async commit(entry: SignedManifest): Promise<void> {
    const { sequence } = entry.manifest;
    if (sequence !== (this.head?.sequence ?? 0) + 1) {
      throw new AppError("corrupt", `entry ${sequence} does not follow the head of this chain`);
    }
    await this.#append(entry);
  }

  async #append(entry: SignedManifest): Promise<void> {
    if (this.#unkept) this.#unkept.set(entry.manifest.sequence, entry);
    else await writeEntry(this.#world, `${this.#folder}/chain`, entry);
    this.#newest = entry;
    this.#sequences = [...this.#sequences, entry.manifest.sequence];
    const indexed = indexedOf(entry);
    this.#index = [...this.#index, indexed];
    this.#names.set(indexed.name, indexed.sequence);
  }

  /**
   * Takes over an entry of this very chain that a destination showed: this host had signed it before its state was
   * restored from an older copy. Entries before it may be missing; their numbers are used up all the same.
   */
  async adopt(entry: SignedManifest): Promise<void> {
    const { chain, sequence, receipts } = entry.manifest;
    if (chain !== this.head?.chain || sequence <= this.head.sequence) {
      throw new AppError("corrupt", `entry ${sequence} is not one that follows the head of this chain`);
    }
    await this.#append(entry);
    await this.#receipts.merge(receipts);
  }

  /** The entry whose archive or record has this file name, also in a chain that was set aside. */
  async entryNamed(name: string): Promise<SignedManifest | undefined> {
    const sequence = this.sequenceOf(name);
    if (sequence !== undefined) return await this.entry(sequence);
    return await setAsideEntry(this.#world, this.#folder, name);
  }

  /** The entries without an archive, oldest first. */
  get records(): readonly SignedRecord[] {
    return this.#index.flatMap(({ record }) => record ?? []);
  }

  /** The runs that somebody has accepted with `accept`, by name ({@linkcode runOf} of their archive). */
  accepted(): ReadonlySet<string> {
    return new Set(
      this.records.flatMap(({ manifest }) => manifest.kind === "accept" ? [runOf(manifest.run)] : []),
    );
  }

  /**
   * The fingerprints of the recipients that were accepted last: those of the newest archive or `keys accept`, of this
   * chain or else of one that was set aside. Undefined before the first archive.
   */
  async acceptedRecipients(): Promise<readonly string[] | undefined> {
    for (const { sequence } of this.#index.filter((one) => one.recipients).reverse()) {
      try {
        const { manifest, key } = await this.entry(sequence);
        if (!("recipients" in manifest)) continue;
        if (this.signers().some((one) => one.fingerprint === key.fingerprint)) return manifest.recipients;
      } catch (error) {
        if (!isAppError(error, "corrupt")) throw error; // an older entry, at worst, has fewer of them
      }
    }
    return await setAsideRecipients(this.#world, this.#folder);
  }

  /** The fingerprint of the key that signs the next entry; undefined before the first. */
  get nextSigner(): string | undefined {
    return this.#newest && signerAfter(this.#newest).fingerprint;
  }

  /** The keys that this chain is signed with, the present one first. */
  signers(): SignerKey[] {
    const newest = this.#newest;
    if (!newest) return [];
    const keys = [signerAfter(newest)];
    for (const { manifest, key } of [...this.records].reverse()) {
      if (manifest.kind !== "keys-rotate" || !keys.some((one) => one.text === manifest.newSigner)) continue;
      keys.push(key);
    }
    return keys;
  }

  /** Keys of others that `keys trust` has made trusted. */
  trusted(): SignerKey[] {
    return this.records.flatMap(({ manifest }) =>
      manifest.kind === "keys-trust" ? manifest.signers.map(parseSignerKey) : []
    );
  }

  /** Chains, and branches of this one, that were seen beside this chain and that `keys trust` has not settled. */
  unsettled(): Place[] {
    const open = new Map<string, Place>();
    for (const place of this.#index.flatMap(({ beside }) => beside)) open.set(this.#key(place), place);
    for (const key of this.#settled()) open.delete(key);
    return [...open.values()];
  }

  /** Whether `keys trust` has been told of this chain or branch. */
  isSettled(place: Place): boolean {
    return this.#settled().has(this.#key(place));
  }

  /** Whether two places are of the same chain, or of the same branch of this one. */
  same(one: Place, other: Place): boolean {
    return this.#key(one) === this.#key(other);
  }

  #settled(): Set<string> {
    return new Set(
      this.records.flatMap(({ manifest }) =>
        manifest.kind === "keys-trust" ? manifest.chains.map((place) => this.#key(place)) : []
      ),
    );
  }

  /** Another chain is known by its id, however far it has grown; a branch of this one by its newest entry. */
  #key({ chain, hash }: Place): string {
    return chain === this.head?.chain ? `${chain} ${hash}` : chain;
  }

  /** When this chain began, as its first entry says; undefined where there is none that can be read. */
  async began(): Promise<Date | undefined> {
    const [first] = this.sequences;
    if (first === undefined) return undefined;
    try {
      return new Date((await this.entry(first)).manifest.time);
    } catch (error) {
      if (!isAppError(error, "corrupt", "unsupported")) throw error;
      return undefined;
    }
  }

  /** Whether this destination has ever given back an entry of this chain. */
  hasAnyReceipt(destination: string): boolean {
    return this.#receipts.hasAny(destination);
  }

  hasReceipt(destination: string, sequence: number): boolean {
    return this.#receipts.has(destination, sequence);
  }

  /** The highest sequence number that any receipt names; above the head, entries have been lost. */
  get highestReceipt(): number {
    return this.#receipts.highest;
  }

  /** Notes, durably, that this destination gave the archive back unharmed. */
  addReceipt(destination: string, sequence: number): Promise<void> {
    return this.#receipts.add(destination, sequence);
  }

  /** Receipts as a manifest states them. */
  receipts(): ReceiptRanges {
    return this.#receipts.ranges();
  }
}
