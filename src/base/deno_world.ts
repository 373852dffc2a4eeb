import { AppError, cancellation } from "./errors.ts";
import { denoFiles } from "./deno_files.ts";
import { harden } from "./deno_harden.ts";
import type { Clock, Platform, RunOptions, RunResult, Terminal, World } from "./world.ts";

/** The real outside. */
export function denoWorld(): World {
  return {
    platform,
    clock,
    files: denoFiles,
    terminal: denoTerminal(),
    env: (name) => Deno.env.get(name) || undefined,
    fetch: (input, init) => fetch(input, init),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    run,
    onSignal(signal, handler) {
      // Windows knows SIGTERM only in newer runtimes; a signal that cannot arrive needs no handler.
      if (Deno.build.os === "windows" && signal === "SIGTERM") return () => {};
      Deno.addSignalListener(signal, handler);
      return () => Deno.removeSignalListener(signal, handler);
    },
    harden,
    exit: (code) => Deno.exit(code),
  };
}

const platform: Platform = {
  os: (["linux", "windows", "darwin"] as const).find((os) => os === Deno.build.os) ?? "other",
  pid: Deno.pid,
  hostname: () => Deno.hostname(),
};

const clock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancellation(signal));
      const stop = () => {
        clearTimeout(timer);
        reject(cancellation(signal));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal.addEventListener("abort", stop, { once: true });
    }),
};

function denoTerminal(): Terminal {
  const write = (stream: typeof Deno.stdout, text: string) => {
    let bytes = new TextEncoder().encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      // The reader has gone (`vaultferry list | head -1`): there is nobody left to tell, and the work goes on.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  };
  return {
    interactive: Deno.stderr.isTerminal(),
    get columns() {
      return Deno.stderr.isTerminal() ? Deno.consoleSize().columns : 80;
    },
    out: (text) => write(Deno.stdout, text),
    err: (text) => write(Deno.stderr, text),
  };
}

async function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new AppError("misconfigured", "an empty command cannot be run");
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), options.timeout);
  try {
    const child = new Deno.Command(program, {
      args,
      ...(options.env ? { env: options.env } : {}),
      stdin: options.stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.any([options.signal, deadline.signal]),
    }).spawn();
    const feeding = options.stdin ? feed(child.stdin, options.stdin) : Promise.resolve();
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), feeding]);
    if (options.signal.aborted) throw cancellation(options.signal);
    if (deadline.signal.aborted) {
      throw new AppError("transient", `"${program}" did not end within ${options.timeout / 1000} s`);
    }
    return { code, stdout, stderr };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new AppError("not-found", `the program "${program}" does not exist`, { cause });
    }
    if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
      throw new AppError("denied", `the program "${program}" may not be run`, { cause });
    }
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

async function feed(stdin: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch (error) {
    // A program that ends without reading its input is judged by its exit code.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
