import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

/**
 * What this host has begun and not finished, so that the next run can sweep its leftovers after a crash and
 * nothing else: a name that is not in the journal is never touched.
 */

/** Something begun: a file in the spool, or a key being sent to a destination. */
export type Undertaking =
  | { what: "spool"; name: string }
  | { what: "put"; destination: string; key: string };

type Line = { at: string; step: "begin" | "end" } & Undertaking;

/** A run writes a dozen lines and compacts them; a larger file is not ours. */
const LIMIT = 16 * 1024 * 1024;

export class Journal {
  readonly #world: World;
  readonly #path: string;
  #open: Map<string, Undertaking>;

  private constructor(world: World, path: string, open: Map<string, Undertaking>) {
    this.#world = world;
    this.#path = path;
    this.#open = open;
  }

  /** Reads the journal at `path`; the job's lock must be held. */
  static async load(world: World, path: string): Promise<Journal> {
    const open = new Map<string, Undertaking>();
    let text = "";
    try {
      text = fromUtf8(await world.files.read(path, LIMIT), quoted(path));
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error;
    }
    const lines = text.split("\n");
    for (const [index, line] of lines.entries()) {
      if (line === "") continue;
      const parsed = parse(line);
      if (!parsed) {
        // A crash may have torn the last line; its undertaking had not begun then.
        if (index === lines.length - 1) continue;
        throw new AppError("corrupt", `line ${index + 1} of ${quoted(path)} is damaged`, {
          hint: "remove that line; what it began is not swept then",
        });
      }
      const { at: _, step, ...undertaking } = parsed;
      if (step === "begin") open.set(keyOf(undertaking), undertaking);
      else open.delete(keyOf(undertaking));
    }
    return new Journal(world, path, open);
  }

  /** What earlier runs began and never finished. */
  unfinished(): Undertaking[] {
    return [...this.#open.values()];
  }

  /** Notes, durably, that something is about to begin. */
  async begin(undertaking: Undertaking): Promise<void> {
    await this.#append("begin", undertaking);
    this.#open.set(keyOf(undertaking), undertaking);
  }

  /** Notes that it is finished, or swept. */
  async end(undertaking: Undertaking): Promise<void> {
    await this.#append("end", undertaking);
    this.#open.delete(keyOf(undertaking));
  }

  /** Rewrites the file with nothing but what is unfinished. */
  async compact(): Promise<void> {
    const text = this.unfinished().map((one) => this.#line("begin", one)).join("");
    await writeDurably(this.#world, this.#path, utf8(text), { mode: "replace", bits: 0o600 });
  }

  async #append(step: Line["step"], undertaking: Undertaking): Promise<void> {
    const file = await this.#world.files.append(this.#path, 0o600);
    try {
      await file.write(utf8(this.#line(step, undertaking)));
      await file.sync();
    } finally {
      file.close();
    }
  }

  #line(step: Line["step"], undertaking: Undertaking): string {
    return JSON.stringify({ at: this.#world.clock.now().toISOString(), step, ...undertaking }) + "\n";
  }
}

function keyOf(undertaking: Undertaking): string {
  return undertaking.what === "spool"
    ? `spool ${undertaking.name}`
    : `put ${undertaking.destination} ${undertaking.key}`;
}

function parse(line: string): Line | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const { at, step, what, name, destination, key } = json as Record<string, unknown>;
  if (typeof at !== "string" || (step !== "begin" && step !== "end")) return undefined;
  if (what === "spool" && typeof name === "string") return { at, step, what, name };
  if (what === "put" && typeof destination === "string" && typeof key === "string") {
    return { at, step, what, destination, key };
  }
  return undefined;
}
