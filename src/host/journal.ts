import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

/**
 * What this host has begun and not finished, so that the next run can sweep its leftovers after a crash and
 * nothing else: a name that is not in the journal is never touched.
 */

/** Something begun: a file in the spool, a folder for secrets in clear, or a key being sent to a destination. */
export type Undertaking =
  | { what: "spool"; name: string }
  | { what: "folder"; path: string }
  | { what: "put"; destination: string; key: string };

type Line = { at: string; step: "begin" | "end" } & Undertaking;

/** A file that is kept short is never so large; a larger one is not ours. */
const LIMIT = 16 * 1024 * 1024;

/** Lines after which the file is rewritten: a source may ask for a private folder for each of thousands of files. */
const SHORT = 2000;

export class Journal {
  readonly #world: World;
  readonly #path: string;
  #open: Map<string, Undertaking>;
  /** Whether the file may end in half a line, to which the next one must not be glued. */
  #torn: boolean;
  /** Whether the file's own name is durable. */
  #named: boolean;
  /** Lines written since the file was rewritten. */
  #lines = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    world: World,
    path: string,
    open: Map<string, Undertaking>,
    file: { torn: boolean; named: boolean },
  ) {
    this.#world = world;
    this.#path = path;
    this.#open = open;
    this.#torn = file.torn;
    this.#named = file.named;
  }

  /** Reads the journal at `path`; the job's lock must be held. */
  static async load(world: World, path: string): Promise<Journal> {
    const open = new Map<string, Undertaking>();
    const content = await contentOf(world, path);
    const bytes = content ?? new Uint8Array(0);
    // A crash may have torn the last line, in the middle of a character too; its undertaking had not begun then.
    const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    const lines = fromUtf8(whole, quoted(path)).split("\n");
    for (const [index, line] of lines.entries()) {
      if (line === "") continue;
      const parsed = parse(line);
      if (!parsed) {
        throw new AppError("corrupt", `line ${index + 1} of ${quoted(path)} is damaged`, {
          hint: "remove that line; what it began is not swept then",
        });
      }
      const { at: _, step, ...undertaking } = parsed;
      if (step === "begin") open.set(keyOf(undertaking), undertaking);
      else open.delete(keyOf(undertaking));
    }
    return new Journal(world, path, open, {
      torn: whole.length < bytes.length,
      named: content !== undefined,
    });
  }

  /** What earlier runs began and never finished. */
  unfinished(): Undertaking[] {
    return [...this.#open.values()];
  }

  /** Notes, durably, that something is about to begin. */
  begin(undertaking: Undertaking): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#lines >= SHORT) await this.#rewrite();
      await this.#append("begin", undertaking);
      this.#open.set(keyOf(undertaking), undertaking);
    });
  }

  /** Notes that it is finished, or swept. */
  end(undertaking: Undertaking): Promise<void> {
    return this.#inTurn(async () => {
      await this.#append("end", undertaking);
      this.#open.delete(keyOf(undertaking));
    });
  }

  /** Rewrites the file with nothing but what is unfinished. */
  compact(): Promise<void> {
    return this.#inTurn(() => this.#rewrite());
  }

  /** One after the other: destinations work at the same time. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write, write);
    return this.#writing;
  }

  async #rewrite(): Promise<void> {
    const text = this.unfinished().map((one) => this.#line("begin", one)).join("");
    await writeDurably(this.#world, this.#path, utf8(text), { mode: "replace", bits: 0o600 });
    this.#torn = false;
    this.#named = true;
    this.#lines = 0;
  }

  async #append(step: Line["step"], undertaking: Undertaking): Promise<void> {
    if (this.#torn) await this.#rewrite();
    this.#lines++;
    this.#torn = true; // until all of the line is there
    const file = await this.#world.files.append(this.#path, 0o600);
    try {
      await file.write(utf8(this.#line(step, undertaking)));
      await file.sync();
      this.#torn = false;
    } finally {
      file.close();
    }
    if (this.#named) return;
    await this.#world.files.syncFolder(this.#path.slice(0, this.#path.lastIndexOf("/")));
    this.#named = true;
  }

  #line(step: Line["step"], undertaking: Undertaking): string {
    return JSON.stringify({ at: this.#world.clock.now().toISOString(), step, ...undertaking }) + "\n";
  }
}

const NEWLINE = 0x0a;

async function contentOf(world: World, path: string): Promise<Uint8Array | undefined> {
  try {
    return await world.files.read(path, LIMIT);
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
}

function keyOf(undertaking: Undertaking): string {
  switch (undertaking.what) {
    case "spool":
      return `spool ${undertaking.name}`;
    case "folder":
      return `folder ${undertaking.path}`;
    case "put":
      return `put ${undertaking.destination} ${undertaking.key}`;
  }
}

function parse(line: string): Line | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const { at, step, what, name, path, destination, key } = json as Record<string, unknown>;
  if (typeof at !== "string" || (step !== "begin" && step !== "end")) return undefined;
  if (what === "spool" && typeof name === "string") return { at, step, what, name };
  if (what === "folder" && typeof path === "string") return { at, step, what, path };
  if (what === "put" && typeof destination === "string" && typeof key === "string") {
    return { at, step, what, destination, key };
  }
  return undefined;
}
