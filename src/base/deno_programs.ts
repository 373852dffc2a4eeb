import { AppError, cancellation, throwIfCancelled, toAppError } from "./errors.ts";
import { collect } from "./bytes.ts";
import type { ProgramEnd, RunningProgram, RunOptions, RunResult, StartOptions } from "./world.ts";

/** Milliseconds between asking a program to end and ending it. */
const POLITE = 2000;
/** Milliseconds for what a program has left behind in its pipes, where something that it started holds them open. */
const LINGER = 1000;
/** Bytes of standard error that are kept. */
const STDERR_KEPT = 64 * 1024;
/** Bytes of the output of a program that is not streamed through. */
const LONGEST_OUTPUT = 512 * 1024 * 1024;

/** Runs a program to its end and keeps what it says. */
export async function runProgram(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  await using program = startProgram(argv, options);
  const stdout = await collect(program.stdout, LONGEST_OUTPUT, "the output of the program");
  const { code, stderr } = await program.ended;
  return { code, stdout, stderr };
}

/** Starts a program. */
export function startProgram(argv: readonly string[], options: StartOptions): RunningProgram {
  const [program, ...args] = argv;
  if (program === undefined) throw new AppError("misconfigured", "an empty command cannot be run");
  throwIfCancelled(options.signal);
  return new Running(program, spawn(program, args, options), options);
}

function spawn(program: string, args: string[], { env, stdin, apart }: StartOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      ...(env ? { env: environment(env), clearEnv: true } : {}),
      stdin: stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      ...(apart && Deno.build.os !== "windows" ? { detached: true } : {}),
    }).spawn();
  } catch (cause) {
    // Without PATH there is no place to look for it in.
    if (cause instanceof Deno.errors.NotFound || /no path to search/.test(String(cause))) {
      throw new AppError("not-found", `the program "${program}" does not exist`, { cause });
    }
    if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
      throw new AppError("denied", `the program "${program}" may not be run`, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("unknown", `the program "${program}" cannot be run: ${reason}`, { cause });
  }
}

/** The environment of this process with `changes`; their names are told apart as the platform does it. */
function environment(changes: Record<string, string | undefined>): Record<string, string> {
  const same = (name: string) => Deno.build.os === "windows" ? name.toUpperCase() : name;
  const changed = new Set(Object.keys(changes).map(same));
  return Object.fromEntries([
    ...Object.entries(Deno.env.toObject()).filter(([name]) => !changed.has(same(name))),
    ...Object.entries(changes).filter((one): one is [string, string] => one[1] !== undefined),
  ]);
}

type Timer = ReturnType<typeof setTimeout>;

class Running implements RunningProgram {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly ended: Promise<ProgramEnd>;
  readonly #out: ReadableStreamDefaultReader<Uint8Array>;
  readonly #timers = new Set<Timer>();
  /** Why it was ended. */
  #reason: AppError | undefined;
  #exited = false;
  #heard = false;
  #quiet: Timer | undefined;
  #outputAwaited = false;
  #outputDone = false;
  #feeding: "none" | "waiting for input" | "writing" = "none";

  constructor(readonly name: string, readonly child: Deno.ChildProcess, readonly options: StartOptions) {
    this.#out = child.stdout.getReader();
    this.stdout = new ReadableStream<Uint8Array>({
      pull: (controller) => this.#pull(controller),
      cancel: async () => {
        this.#outputDone = true;
        this.#end(new AppError("cancelled", "cancelled"));
        await this.#out.cancel();
      },
    }, { highWaterMark: 0 }); // nothing is read ahead: the program waits as long as its reader does
    this.ended = this.#live();
    this.ended.catch(() => {}); // whoever reads the output hears of it too
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new AppError("cancelled", "cancelled"));
    await this.#out.cancel().catch(() => {});
    await this.ended.catch(() => {});
    this.#cancelTimer(this.#quiet);
  }

  async #live(): Promise<ProgramEnd> {
    const { signal, timeout, stdin } = this.options;
    const stop = () => this.#end(cancellation(signal));
    signal.addEventListener("abort", stop, { once: true });
    if (timeout !== undefined) {
      this.#after(timeout, () => this.#end(this.#late(`did not end within ${timeout / 1000} s`)));
    }
    this.#listen();
    const stderr = new LastBytes(this.child.stderr, () => this.#alive());
    const fed = stdin ? this.#feed(this.child.stdin, stdin) : Promise.resolve(true);
    try {
      const { code } = await this.child.status;
      this.#exited = true;
      this.#listen();
      const letGo = Promise.withResolvers<false>();
      this.#after(LINGER, () => {
        stderr.cancel();
        letGo.resolve(false);
      });
      const end = { code, stderr: await stderr.kept, fed: await Promise.race([fed, letGo.promise]) };
      if (this.#reason) throw this.#reason;
      return end;
    } finally {
      signal.removeEventListener("abort", stop);
      if (this.#reason) this.#signal("SIGKILL"); // what it had started, where that stands apart
      for (const timer of this.#timers) if (timer !== this.#quiet) this.#cancelTimer(timer);
    }
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#outputAwaited = true;
    this.#listen();
    const { value } = await this.#out.read();
    this.#outputAwaited = false;
    if (this.#reason && !this.#exited) await this.child.status; // its output may only be cut off by its end
    if (this.#reason) {
      this.#outputDone = true;
      this.#cancelTimer(this.#quiet);
      controller.error(this.#reason);
    } else if (value) {
      this.#heard = true;
      this.#alive();
      controller.enqueue(value);
    } else {
      this.#outputDone = true;
      this.#listen();
      controller.close();
    }
  }

  /** Writes the input; false when the program did not take all of it. */
  async #feed(
    stdin: WritableStream<Uint8Array>,
    input: Uint8Array | ReadableStream<Uint8Array>,
  ): Promise<boolean> {
    const writer = stdin.getWriter();
    // A program that has ended takes nothing any more, even if something that it started holds its input open.
    this.child.status.then(() => writer.abort()).catch(() => {});
    this.#feeding = "waiting for input";
    try {
      for await (const part of input instanceof Uint8Array ? [input] : input) {
        await this.#write(() => writer.write(part));
      }
      await this.#write(() => writer.close());
      return true;
    } catch (error) {
      // A program that ends without reading its input is judged by its exit code; it is not told of a source that
      // fails by the end of its input, which it would take for the whole.
      if (!this.#exited && !(error instanceof Deno.errors.BrokenPipe)) {
        this.#end(toAppError(error), "SIGKILL");
      }
      return false;
    } finally {
      this.#feeding = "none";
    }
  }

  async #write(action: () => Promise<void>): Promise<void> {
    this.#feeding = "writing";
    this.#listen();
    await action();
    this.#feeding = "waiting for input";
    this.#alive();
  }

  #alive(): void {
    if (this.#quiet !== undefined) this.#listen();
  }

  /** Begins to count anew how long the program is silent while it is its turn. */
  #listen(): void {
    this.#cancelTimer(this.#quiet);
    if (this.#exited && this.#outputDone) return;
    const { silence, silenceAtFirst = silence } = this.options;
    const limit = this.#exited ? LINGER : this.#heard ? silence : silenceAtFirst;
    if (limit === undefined) return;
    this.#quiet = this.#after(limit, () => {
      const waitedFor = this.#outputAwaited || this.#outputDone || this.#feeding === "writing";
      if (this.#exited) {
        // Something that it started holds its output open and says nothing: what the program itself said is whole.
        if (this.#outputAwaited) this.#out.cancel().catch(() => {});
      } else if (waitedFor && this.#feeding !== "waiting for input") {
        this.#end(this.#late(`gave no sign of life for ${limit / 1000} s`));
      } else this.#listen();
    });
  }

  #late(what: string): AppError {
    return new AppError("transient", `"${this.name}" ${what}`);
  }

  #end(reason: AppError, first: "SIGTERM" | "SIGKILL" = "SIGTERM"): void {
    if (this.#exited || this.#reason) return;
    this.#reason = reason;
    this.#signal(first);
    this.#after(POLITE, () => this.#signal("SIGKILL"));
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      if (this.options.apart && Deno.build.os !== "windows") Deno.kill(-this.child.pid, signal);
      else if (!this.#exited) this.child.kill(signal);
    } catch {
      // it has ended
    }
  }

  #after(ms: number, action: () => void): Timer {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #cancelTimer(timer: Timer | undefined): void {
    clearTimeout(timer);
    if (timer !== undefined) this.#timers.delete(timer);
    if (timer === this.#quiet) this.#quiet = undefined;
  }
}

/** Reads a stream to its end and keeps the last of it. */
class LastBytes {
  readonly kept: Promise<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>, heard: () => void) {
    this.#reader = stream.getReader();
    this.kept = this.#read(heard);
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  async #read(heard: () => void): Promise<Uint8Array> {
    let last = new Uint8Array(0);
    for (;;) {
      const { value } = await this.#reader.read();
      if (!value) return last;
      heard();
      const both = new Uint8Array(last.length + value.length);
      both.set(last);
      both.set(value, last.length);
      last = both.slice(Math.max(0, both.length - STDERR_KEPT));
    }
  }
}
