/** What the conformance cases are written with: a bench that opens, walks and fetches, and assertions with sentences. */
import { inspect } from "node:util";
import { collect } from "../../base/bytes.ts";
import { AppError, isAppError } from "../../base/errors.ts";
import type { Item, ItemFile } from "../../model/item.ts";
import { isShortfall, type Shortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import { type SeededAccount, type SeededItem, type SeededVault, TARGET } from "./account.ts";
import type {
  Call,
  ConformanceDoor,
  ConformanceHarness,
  Fault,
  FaultName,
  FaultOptions,
  Need,
} from "./door.ts";
import type { Source, Wanted } from "../contract.ts";

export interface SourceCase {
  /** What holds when the case returns. */
  name: string;
  /** What the door and its harness must be able to do. */
  needs: readonly Need[];
  run(door: ConformanceDoor): Promise<void>;
}

/** A signal that is never aborted. */
export const never = new AbortController().signal;

/** How long a cancelled call may go on, and disposing. */
const PATIENCE = 2000;

/** A case with an account and a harness of its own; what it opened is disposed of. */
export function given(
  name: string,
  account: SeededAccount,
  needs: readonly Need[],
  body: (bench: Bench) => Promise<void>,
): SourceCase {
  const run = async (door: ConformanceDoor) => {
    await using harness = await door.start(account);
    const bench = new Bench(door, harness, account);
    try {
      await body(bench);
    } finally {
      await bench.close();
    }
  };
  return { name, needs, run };
}

/** What a walk through a vault gave. */
export interface Walked {
  items: Map<string, Item>;
  shortfalls: Shortfall[];
  /** What it ended with instead of its end. */
  error: unknown;
}

/** How far {@linkcode Bench.reach} came. */
export interface Reached {
  vaults?: Vault[];
  walked?: Walked;
  item?: Item;
  body?: Uint8Array;
  error: unknown;
}

/** One door with one account behind it. */
export class Bench {
  readonly #opened: Source[] = [];
  readonly #secrets: string[];
  readonly #titles: string[];

  constructor(
    readonly door: ConformanceDoor,
    readonly harness: ConformanceHarness,
    readonly account: SeededAccount,
  ) {
    const items = account.vaults.flatMap((vault) => vault.items);
    this.#secrets = [...harness.secrets, ...items.flatMap(secretsOf)].filter((text) => text !== "");
    this.#titles = [...account.vaults, ...items, ...items.flatMap(({ files }) => files)]
      .map((one) => "title" in one ? one.title : one.name).filter((title) => title.length >= 8);
  }

  async open(signal = never): Promise<Source> {
    const source = await this.harness.open(signal);
    this.#opened.push(source);
    return source;
  }

  async close(): Promise<void> {
    for (const said of this.harness.said) this.clean(said, "what is said to people");
    for (const source of this.#opened) await within(source[Symbol.asyncDispose](), "disposing of the source");
  }

  async fault(name: FaultName, options: FaultOptions = {}): Promise<Fault> {
    const about = name.startsWith("items") || name.startsWith("file") ? TARGET : { vaultId: TARGET.vaultId };
    return await this.harness.fault(name, { ...about, ...options });
  }

  /** The seeded vault of that id. */
  seeded(vaultId: string): SeededVault {
    return found(this.account.vaults.find(({ id }) => id === vaultId), `the seeded vault "${vaultId}"`);
  }

  /** The seeded items of a vault that this door shows. */
  shown(vaultId: string): SeededItem[] {
    return this.seeded(vaultId).items.filter(({ state }) =>
      state === "active" || this.door.archived !== "hidden"
    );
  }

  /** The vault of that id as the source lists it. */
  async vault(source: Source, vaultId: string = TARGET.vaultId): Promise<Vault> {
    return found((await source.vaults(never)).find(({ id }) => id === vaultId), `the vault "${vaultId}"`);
  }

  /** Walks through a vault to its end or its error. Fails on what no walk may give, whatever else is wrong. */
  async walk(source: Source, vault: Vault, signal = never, wanted?: Wanted): Promise<Walked> {
    const walked: Walked = { items: new Map(), shortfalls: [], error: undefined };
    let before: string | undefined;
    try {
      for await (const one of source.items(vault, signal, wanted)) {
        check(one.vaultId === vault.id, `something of vault "${one.vaultId}" came from vault "${vault.id}"`);
        const id = isShortfall(one) ? one.itemId : one.id;
        if (isShortfall(one)) {
          const late = id !== undefined && id !== before && walked.items.has(id);
          check(!late, `what is lacking of item "${id}" does not follow it at once`);
          walked.shortfalls.push(this.#judged(one));
        } else {
          check(!walked.items.has(one.id), `item "${one.id}" came twice`);
          walked.items.set(one.id, one);
        }
        before = id;
      }
    } catch (error) {
      walked.error = this.mustBe(error, [], "the walk");
      return walked;
    }
    for (const { id, contents } of walked.items.values()) {
      const told = walked.shortfalls.some(({ itemId }) => itemId === id);
      check(contents === "full" || told, `item "${id}" came without contents, and nothing says so`);
    }
    return walked;
  }

  /** A walk that must come to its end. */
  async walkWhole(source: Source, vault: Vault, wanted?: Wanted): Promise<Walked> {
    const walked = await this.walk(source, vault, never, wanted);
    if (walked.error !== undefined) throw walked.error;
    return walked;
  }

  async fetch(source: Source, item: Item, file: ItemFile, signal = never): Promise<Uint8Array> {
    return await collect(await source.open(item, file, signal), 64 * 1024 * 1024, "the body");
  }

  /** Opens the door and goes on until `call` was made for the target, or something failed. */
  async reach(call: Call, signal = never): Promise<Reached> {
    const reached: Reached = { error: undefined };
    try {
      const source = await this.open(signal);
      reached.vaults = await source.vaults(signal);
      if (call === "sign-in" || call === "vaults") return reached;
      const vault = found(reached.vaults.find(({ id }) => id === TARGET.vaultId), "the first vault");
      reached.walked = await this.walk(source, vault, signal);
      if (reached.walked.error !== undefined) throw reached.walked.error;
      if (call !== "file") return reached;
      reached.item = found(reached.walked.items.get(TARGET.itemId), "the item with the file");
      reached.body = await this.fetch(source, reached.item, found(reached.item.files[0], "the file"), signal);
    } catch (error) {
      reached.error = this.mustBe(error, [], `the way to the call "${call}"`);
    }
    return reached;
  }

  /** Fails unless `call` rejects with an error of a source that has one of `codes` (any, when there are none). */
  async refused(call: Promise<unknown>, codes: readonly string[], what: string): Promise<AppError> {
    const error = await call.then((value) => {
      // A stream that should not be there must not stay open either.
      if (value instanceof ReadableStream) value.cancel().catch(() => {});
      throw new Failure(`${what} was not refused`);
    }, (error) => error);
    return this.mustBe(error, codes, what);
  }

  /** Fails unless `error` is one of a source, in the house's voice, without a secret, with one of `codes`. */
  mustBe(error: unknown, codes: readonly string[], what: string): AppError {
    if (error instanceof Failure) throw error;
    const text = error instanceof Error ? error.message : String(error);
    // A cancellation is the caller's own and may be of no source.
    if (!isAppError(error) || (error.origin !== "source" && error.code !== "cancelled")) {
      throw new Failure(`${what} failed with an error of no source: ${text}`, error);
    }
    if (codes.length > 0 && !codes.includes(error.code)) {
      throw new Failure(
        `${what} failed as "${error.code}" instead of "${codes.join(" or ")}": ${text}`,
        error,
      );
    }
    for (const told of [error.message, error.hint ?? "", JSON.stringify(error), String(error)]) {
      this.clean(told, `the error of ${what}`);
    }
    const voice = error.message !== "" && !/\n|\.$|^[A-Z][a-z]/.test(error.message);
    check(voice, `${what} failed with a sentence of another voice: ${text}`);
    return error;
  }

  /** Fails where a secret is in `text`. */
  clean(text: string, what: string): void {
    for (const secret of this.#secrets) {
      check(!text.includes(secret) && !text.includes(secret.slice(0, 60)), `a secret is in ${what}`);
    }
  }

  /** Fails where a secret is in what a debugger shows of `object`. */
  cleanInside(object: unknown, what: string): void {
    this.clean(
      inspect(object, { depth: Infinity, maxStringLength: Infinity, maxArrayLength: Infinity }),
      what,
    );
  }

  /** What is said of something lacking may reach a log. */
  #judged(shortfall: Shortfall): Shortfall {
    const { detail, reason } = shortfall;
    check(
      detail !== "" && /^[a-z-]+$/.test(reason),
      `a shortfall says nothing: ${JSON.stringify(shortfall)}`,
    );
    this.clean(JSON.stringify(shortfall), `a shortfall ("${reason}")`);
    const title = this.#titles.find((title) => detail.includes(title));
    check(title === undefined, `a shortfall ("${reason}") tells a title or a file's name: ${title}`);
    return shortfall;
  }
}

/** Values of an item that nobody may see outside the archive. */
function secretsOf(item: SeededItem): string[] {
  const fields = [...item.fields, ...item.sections.flatMap((section) => section.fields)];
  const hidden = fields.filter(({ kind, value }) =>
    ["Concealed", "Totp", "SshKey"].includes(kind) || value.startsWith("made-up")
  );
  const notes = item.notes.startsWith("made-up") ? [item.notes] : [];
  return [...hidden.map(({ value }) => value), ...item.passwordHistory.map(({ value }) => value), ...notes];
}

/** What `call` gives, or a failure when it takes longer than a cancelled call may. */
export async function within<T>(call: PromiseLike<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure(`${what} did not end in time`)), PATIENCE);
  });
  return await Promise.race([call, late]).finally(() => clearTimeout(timer));
}

/** What the suite finds wrong, as opposed to what a source reports. */
export class Failure extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause });
  }
}

/** Fails with `sentence` unless `condition` holds. */
export function check(condition: boolean, sentence: string): void {
  if (!condition) throw new Failure(sentence);
}

/** Fails unless both are the same as JSON, whatever the order of their keys. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [sorted(actual), sorted(expected)];
  if (is === should) return;
  let at = 0;
  while (is[at] === should[at]) at++;
  const from = Math.max(0, at - 80);
  throw new Failure(`${what}: …${is.slice(from, at + 200)} instead of …${should.slice(from, at + 200)}`);
}

/** The value, which must be there. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Failure(`${what} is not there`);
  return value;
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, one) => {
    if (typeof one !== "object" || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(Object.entries(one).sort(([a], [b]) => a < b ? -1 : 1));
  }) ?? "undefined";
}
