import assert from "node:assert/strict";
import { z } from "zod";
import { registry } from "../../plugins/mod.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type { Files, World } from "../../src/base/world.ts";
import { run } from "../../src/cli/run.ts";
import type { Registry } from "../../src/config/registry.ts";
import type { Destination } from "../../src/destination/contract.ts";
import type { DestinationPlugin } from "../../src/destination/plugin.ts";
import { LAST_RESORT } from "../../src/destination/patience.ts";
import { type AccountDescription, type LocalService, startService } from "../service/mod.ts";
import { filled } from "./content.ts";
import { Expected } from "./tidy.ts";
import { checkPrinted, checkStored, type Private, privateParts } from "./secrets.ts";
import { type MemoryAccount, memorySource } from "./memory_source.ts";

/** One object of `--json`. */
// deno-lint-ignore no-explicit-any -- what an event holds is what the stories look at
export type Line = Record<string, any>;

/** What one command line came to. */
export interface Ran {
  code: number;
  out: string;
  err: string;
  /** The objects of `--json`; empty without it. */
  lines: Line[];
  /** The last of them. */
  summary: Line;
}

export interface StoryOptions {
  /** What 1Password holds; a small account when left out. */
  account?: AccountDescription;
  /** Instead of 1Password: a source in memory, for stories about everything behind it. */
  memory?: MemoryAccount;
  /** Names of local destinations. */
  destinations?: string[];
  /** Keeps all of it in memory: for stories of hundreds of runs, whose syncs would take minutes. */
  inMemory?: boolean;
}

export const SMALL: AccountDescription = {
  name: "Small",
  vaults: [
    {
      title: "Finance",
      items: [
        { title: "Big Bank", username: "sample.person", password: "made-up-bank-password" },
        { title: "Tax office", username: "sample", password: "made-up-tax-password" },
        {
          title: "Contract",
          category: "Document",
          document: { name: "contract.pdf", size: 5000, seed: "c" },
        },
      ],
    },
    { title: "Servers", items: [{ title: "Gateway", password: "made-up-gateway-password" }] },
  ],
};

/** A test whose steps are command lines, told to the whole program in this process; its name is a sentence. */
export function story(name: string, given: StoryOptions, tell: (story: Story) => Promise<void>): void {
  const options = { ...given, account: filled(given.account ?? SMALL) };
  Deno.test({
    name,
    sanitizeOps: true,
    sanitizeResources: true,
    async fn() {
      const begun = await Story.begin(options);
      try {
        await tell(begun);
        begun.expected.check(begun);
      } finally {
        await begun.end();
      }
    },
  });
}

/** A backup host, its destinations, a safe with the key, and 1Password: all of it in one folder and this process. */
export class Story {
  /** What the config says; written before each run. */
  readonly config: Line;
  /** What must lie about when the story has ended. */
  readonly expected = new Expected();
  readonly private: Private[] = [];
  readonly env: Record<string, string> = {};
  /** Milliseconds by which this host's clock is wrong. */
  clockOffset = 0;
  /** How much faster durations pass on this host, for what waits long. */
  hurry = 1;
  /** Milliseconds that have gone by beside the real ones. */
  passed = 0;
  /** File operations that are replaced. */
  files: Partial<Files> = {};
  interactive = false;
  /** Set by a second signal. */
  exited: number | undefined;
  /** Pauses that the program wanted to make, in milliseconds; it does not get them. */
  readonly naps: number[] = [];
  recipient = "";
  #text: string | undefined;
  readonly #handlers = new Map<string, Set<() => void>>();

  private constructor(
    readonly folder: string,
    readonly destinations: string[],
    readonly given: LocalService | undefined,
    public registry: Registry,
  ) {
    this.config = {
      version: 1,
      state: this.state,
      jobs: {
        acme: {
          source: given ? { type: "onepassword-sdk", token: `file:${this.token}` } : { type: "memory" },
          recipients: [] as string[],
          destinations: destinations.map((name) => ({ name, type: "local", path: this.at(name) })),
        },
      },
    };
  }

  static async begin(options: StoryOptions & { account: AccountDescription }): Promise<Story> {
    const dir = options.inMemory ? { dir: "/dev/shm" } : {};
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-story-", ...dir });
    const service = options.memory ? undefined : await startService(options.account);
    const sources = options.memory ? [memorySource(options.memory)] : registry.sources;
    const story = new Story(folder, options.destinations ?? ["nas"], service, { ...registry, sources });
    for (const name of ["host", "safe", "restored", ...story.destinations]) await Deno.mkdir(story.at(name));
    if (service) await story.writeToken(service.token());
    story.private.push(...privateParts(options.account));
    story.recipient = await story.makeKey("key");
    story.job.recipients = [story.recipient];
    return story;
  }

  get service(): LocalService {
    assert.ok(this.given, "this story is not about 1Password");
    return this.given;
  }

  get job(): Line {
    return this.config.jobs.acme;
  }

  get state(): string {
    return this.at("host/state");
  }

  get token(): string {
    return this.at("host/token");
  }

  /** The private key in the safe. */
  get key(): string {
    return this.at("safe/key");
  }

  get configPath(): string {
    return this.at("host/vaultferry.yaml");
  }

  at(path: string): string {
    return `${this.folder}/${path}`;
  }

  /** Files of the job at a destination, sorted. */
  stored(destination = "nas"): string[] {
    return names(this.at(`${destination}/acme`));
  }

  /** The archives there, oldest first. */
  archives(destination = "nas"): string[] {
    return this.stored(destination).filter((name) => name.endsWith(".age"));
  }

  spooled(): string[] {
    return names(`${this.state}/acme/spool`);
  }

  /** Adds a destination of the story's own to the job, of a type that has its name. */
  addDestination(destination: Destination, settings: Line = {}): void {
    const { name } = destination;
    const plugin: DestinationPlugin = {
      type: name,
      summary: "a destination of this story",
      config: z.strictObject({}),
      open: () => Promise.resolve(destination),
    };
    this.registry = { ...this.registry, destinations: [...this.registry.destinations, plugin] };
    this.job.destinations.push({ name, type: name, ...settings });
  }

  async writeToken(token: string): Promise<void> {
    await Deno.writeTextFile(this.token, token + "\n", { mode: 0o600 });
    this.private.push({ what: "the token", text: token.trim() });
  }

  /** Makes a key in the safe with `keys new`; returns its recipient. */
  async makeKey(name: string, ...flags: string[]): Promise<string> {
    const { code, out } = await this.run("keys", "new", "--output", this.at(`safe/${name}`), ...flags);
    assert.equal(code, 0);
    const secret = /^AGE-SECRET-KEY-\S+$/m.exec(await Deno.readTextFile(this.at(`safe/${name}`)))?.[0];
    assert.ok(secret);
    this.private.push({ what: "an age identity", text: secret });
    return out.trim();
  }

  /** The config as a text of its own instead of {@linkcode config}. */
  writeConfig(text: string): void {
    this.#text = text;
  }

  /** Runs a command line, with this story's config unless it names one or needs none. */
  async run(...args: string[]): Promise<Ran> {
    const needsNone = args[0] === "wipe" || args[1] === "new" || args[1] === "schema" ||
      args.some((arg) => ["--config", "--file", "--help", "--version"].includes(arg));
    if (!needsNone) await this.saveConfig();
    const printed = { out: "", err: "" };
    const code = await run(
      needsNone ? args : [...args, "--config", this.configPath],
      this.world(printed),
      () => Promise.resolve(this.registry),
    );
    return this.judge(args, { code, ...printed });
  }

  async saveConfig(): Promise<void> {
    await Deno.writeTextFile(this.configPath, this.#text ?? JSON.stringify(this.config, undefined, 2), {
      mode: 0o600,
    });
  }

  /** What must hold after every run, whatever the story; a run in a process of its own is judged here too. */
  judge(args: string[], ran: Omit<Ran, "lines" | "summary">): Ran {
    if (!this.interactive) checkPrinted(this, args, ran);
    checkStored(this);
    const lines = args.includes("--json") ? linesOf(ran) : [];
    return { ...ran, lines, summary: lines.at(-1) ?? {} };
  }

  /** Runs and demands an exit code. */
  async runs(code: number, ...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    assert.equal(ran.code, code, `${args.join(" ")}\n${ran.out}${ran.err}`);
    return ran;
  }

  /** A signal of the operating system, as far as the program can tell. */
  send(signal: "SIGINT" | "SIGTERM"): void {
    for (const handler of [...this.#handlers.get(signal) ?? []]) handler();
  }

  world(printed: { out: string; err: string }): World {
    const real = denoWorld();
    return {
      ...real,
      env: (name) => this.env[name] || undefined,
      files: this.expected.watching({ ...denoFiles, ...this.files }),
      clock: {
        now: () => new Date(Date.now() + this.clockOffset),
        monotonic: () => real.clock.monotonic() * this.hurry + this.passed,
        sleep: (ms, signal) => {
          // The last resort against what hangs is a timer, and no pause.
          if (Math.abs(ms - LAST_RESORT) > 2000) this.naps.push(ms);
          return real.clock.sleep(Math.min(ms, 20), signal);
        },
      },
      terminal: {
        interactive: this.interactive,
        columns: 100,
        out: (text) => void (printed.out += text),
        err: (text) => void (printed.err += text),
      },
      onSignal: (signal, handler) => {
        const handlers = this.#handlers.get(signal) ?? new Set();
        this.#handlers.set(signal, handlers.add(handler));
        return () => void handlers.delete(handler);
      },
      exit: (code) => {
        this.exited ??= code;
        return undefined as never;
      },
    };
  }

  async end(): Promise<void> {
    await this.given?.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Names in a folder, sorted; none where there is no folder. */
export function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** `--json` promises: an object a line, each with version and event, and the exit code in the last. */
function linesOf({ code, out }: { code: number; out: string }): Line[] {
  assert.ok(out.endsWith("\n"), out);
  const lines = out.slice(0, -1).split("\n").map((line) => JSON.parse(line) as Line);
  for (const line of lines) {
    assert.equal(line.v, 1);
    assert.equal(typeof line.event, "string");
  }
  const last = lines.at(-1)!;
  assert.equal(last.event, "summary");
  assert.equal(last.exitCode, code);
  assert.equal(lines.filter((line) => line.event === "summary").length, 1);
  return lines;
}
