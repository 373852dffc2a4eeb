/** Servers of other projects, as child programs of a test. */
import assert from "node:assert/strict";

/** A server that runs until it is disposed of. */
export interface Child extends AsyncDisposable {
  readonly port: number;
  /** All that it has said on both outputs; the first thing to show when a test against it fails. */
  log(): string;
}

export interface ChildOptions {
  program: string;
  /** Its arguments, given the port that it is to listen on. */
  args(port: number): string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Milliseconds within which it must accept a connection. */
  patience?: number;
}

/** Why a program cannot be run here; undefined where it can. For the targets' `unavailable`. */
export async function missing(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
    return undefined;
  } catch (error) {
    return `the program "${program}" cannot be run: ${error instanceof Error ? error.message : error}`;
  }
}

/** Starts a server on a free port of this machine and waits until it accepts connections. */
export async function startChild(options: ChildOptions): Promise<Child> {
  // A free port may be taken by somebody else before the server has it: then another one is tried.
  for (let tries = 1;; tries++) {
    const child = new Running(options, freePort());
    if (await child.ready(options.patience ?? 30_000)) return child;
    await child[Symbol.asyncDispose]();
    const taken = /EADDRINUSE|already in use/i.test(child.log());
    if (!taken || tries >= 3) assert.fail(`${options.program} did not start:\n${child.log()}`);
  }
}

/** A port of this machine that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

class Running implements Child {
  readonly #child: Deno.ChildProcess;
  readonly #said: string[] = [];
  readonly #reading: Promise<void>[];
  #exited = false;

  constructor({ program, args, env, cwd }: ChildOptions, readonly port: number) {
    this.#child = new Deno.Command(program, {
      args: args(port),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(env ? { env } : {}),
      ...(cwd ? { cwd } : {}),
    }).spawn();
    this.#child.status.then(() => this.#exited = true);
    this.#reading = [this.#child.stdout, this.#child.stderr].map((stream) => this.#listen(stream));
  }

  log(): string {
    return this.#said.join("");
  }

  async ready(patience: number): Promise<boolean> {
    const until = performance.now() + patience;
    while (!this.#exited && performance.now() < until) {
      try {
        using _ = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        return true;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    return false;
  }

  async [Symbol.asyncDispose]() {
    const signal = (name: Deno.Signal) => {
      try {
        if (!this.#exited) this.#child.kill(name);
      } catch {
        // it ended by itself
      }
    };
    signal("SIGTERM");
    const force = setTimeout(() => signal("SIGKILL"), 3000);
    await this.#child.status;
    clearTimeout(force);
    await Promise.all(this.#reading);
  }

  async #listen(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#said.push(text);
  }
}
