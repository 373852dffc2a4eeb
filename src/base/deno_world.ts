import { cancellation } from "./errors.ts";
import { denoFiles } from "./deno_files.ts";
import { harden } from "./deno_harden.ts";
import { runProgram, startProgram } from "./deno_programs.ts";
import { connect, dial } from "./deno_sockets.ts";
import { HttpConnections } from "./http/connections.ts";
import type { Clock, Platform, Terminal, World } from "./world.ts";

/** The real outside. */
export function denoWorld(): World {
  return {
    platform,
    clock,
    files: denoFiles,
    terminal: denoTerminal(),
    env: (name) => Deno.env.get(name) || undefined,
    fetch: (input, init) => fetch(input, init),
    http: (options) => new HttpConnections(options, dial, (name) => Deno.env.get(name) || undefined),
    connect,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    run: runProgram,
    start: startProgram,
    uid: () => Deno.uid() ?? undefined,
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
  let lost: string | undefined;
  const write = (stream: typeof Deno.stdout, text: string) => {
    let bytes = new TextEncoder().encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      // The reader has gone (`vaultferry list | head -1`): there is nobody left to tell, and the work goes on. Nor does a
      // log decide whether there is a backup (its disk is full); a result that nobody gets is told at the end.
      if (error instanceof Deno.errors.BrokenPipe || stream === Deno.stderr) return;
      lost ??= error instanceof Error ? error.message.replace(/ \(os error \d+\).*/s, "") : String(error);
    }
  };
  return {
    interactive: Deno.stderr.isTerminal(),
    get columns() {
      return Deno.stderr.isTerminal() ? Deno.consoleSize().columns : 80;
    },
    get lost() {
      return lost;
    },
    out: (text) => write(Deno.stdout, text),
    err: (text) => write(Deno.stderr, text),
  };
}
