import { collect } from "../../../../src/base/bytes.ts";
import { AppError, isAppError, throwIfCancelled } from "../../../../src/base/errors.ts";
import { retry } from "../../../../src/base/retry.ts";
import { quoted } from "../../../../src/base/safe_names.ts";
import type { ProgramEnd, RunningProgram, World } from "../../../../src/base/world.ts";
import { type Complaint, complaint, opFailure } from "./errors.ts";
import { parse } from "./json.ts";

/** Bytes of an answer that is not streamed: the list of 100,000 items is about half of it. */
const LONGEST_ANSWER = 128 * 1024 * 1024;

export interface OpOptions {
  world: World;
  /** The program's name or path. */
  program: string;
  /** The account to ask, in `op`'s words for it; never together with a token. */
  account?: string | undefined;
  /** A service account's token. */
  token?: string | undefined;
  /** Milliseconds without any output after which a call is given up. */
  timeout: number;
}

/** How a call differs from the usual. */
export interface CallOptions {
  stdin?: Uint8Array;
  /** Milliseconds to be added to the timeout until the first byte of output. */
  patience?: number;
}

/** Runs 1Password's program. */
export class Op {
  readonly options: Omit<OpOptions, "token">;
  /** Private to the letter: whoever prints a source must not see it. */
  readonly #token: string | undefined;
  #refused: AppError | undefined;

  constructor({ token, ...options }: OpOptions) {
    this.options = options;
    this.#token = token;
  }

  /** Whether it signs in as a service account, whose calls are counted. */
  get counted(): boolean {
    return this.#token !== undefined;
  }

  /** Throws the refusal of the sign-in, once there was one; also when the source was closed. */
  throwIfRefused(): void {
    if (this.#refused) throw this.#refused;
  }

  /** No call is made any more. */
  close(): void {
    this.#refused ??= opFailure("cancelled", "the source was closed");
  }

  /** One JSON value; tried again when 1Password could not be reached. */
  json(args: readonly string[], signal: AbortSignal, options: CallOptions = {}): Promise<unknown> {
    return this.patiently(signal, async () => {
      const bytes = await this.#answer([...args, "--format", "json"], signal, options);
      return parse(bytes);
    });
  }

  /** What a call prints that needs no signing in. */
  async text(args: readonly string[], signal: AbortSignal): Promise<string> {
    return new TextDecoder().decode(await this.#answer(args, signal, {})).trim();
  }

  /**
   * Tries again what failed because 1Password could not be reached; but not what ran out of time, which is mostly a
   * question that waits for a person.
   */
  async patiently<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    const { clock } = this.options.world;
    const outcome = await retry(async () => {
      try {
        return { value: await action() };
      } catch (error) {
        if (error instanceof OutOfTime) return { error };
        throw error;
      }
    }, { clock, signal, tries: 3, firstDelay: 1000 });
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Starts a call, to stream through it. Its end is to be judged with {@linkcode judge}. */
  start(
    args: readonly string[],
    signal: AbortSignal,
    { stdin, patience = 0 }: CallOptions = {},
  ): RunningProgram {
    // A refused sign-in is never tried again, whatever asks next.
    this.throwIfRefused();
    const { world, program, timeout } = this.options;
    try {
      return world.start([program, ...args], {
        signal,
        silence: timeout,
        silenceAtFirst: timeout + patience,
        env: this.#environment(),
        // What a person allowed this terminal to do holds only for what belongs to it.
        apart: this.counted,
        ...(stdin ? { stdin } : {}),
      });
    } catch (error) {
      throw this.translated(error);
    }
  }

  /** What a call that has ended complains of, if anything. */
  judge({ code, stderr }: ProgramEnd): Complaint | undefined {
    const found = complaint(new TextDecoder().decode(stderr), code !== 0);
    if (found?.final) this.#refused ??= found.error;
    return found;
  }

  /** An error of the call itself, in the words of this source. */
  translated(error: unknown): unknown {
    if (!(error instanceof AppError) || error.origin === "source" || error.code === "cancelled") return error;
    const program = quoted(this.options.program);
    if (isAppError(error, "transient")) return new OutOfTime(error);
    if (isAppError(error, "not-found")) {
      return opFailure("misconfigured", `the program ${program} is not there`, {
        hint: "install the 1Password CLI (https://developer.1password.com/docs/cli/get-started), " +
          "or say with program: where it is",
        cause: error,
      });
    }
    const code = error.code === "denied" ? "misconfigured" : error.code;
    return opFailure(code, error.message, { cause: error });
  }

  async #answer(
    args: readonly string[],
    signal: AbortSignal,
    options: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    throwIfCancelled(signal);
    try {
      await using call = this.start(args, signal, options);
      const bytes = await collect(call.stdout, LONGEST_ANSWER, "the answer of op");
      // Versions before 2.32.1 end as if all were well after errors of the server that they do not know.
      const failure = this.judge(await call.ended);
      if (failure) throw failure.error;
      return bytes;
    } catch (error) {
      throw this.translated(error);
    }
  }

  /** `op` prefers what it finds in the environment to what it is told, so the environment is told as well. */
  #environment(): Record<string, string | undefined> {
    const { account } = this.options;
    const token = this.#token;
    return {
      // What 1Password holds now, not what a daemon remembers.
      OP_CACHE: "false",
      ...(account === undefined ? {} : { OP_ACCOUNT: account }),
      OP_CONNECT_HOST: undefined,
      OP_CONNECT_TOKEN: undefined,
      OP_SERVICE_ACCOUNT_TOKEN: token,
      // They change what is printed.
      OP_DEBUG: undefined,
      OP_FORMAT: undefined,
      OP_ISO_TIMESTAMPS: undefined,
      // `op read` has no flag for it.
      OP_INCLUDE_ARCHIVE: "true",
      // A service account has no need of the app, and op may hang while it looks for it.
      ...(token === undefined ? {} : {
        OP_ACCOUNT: undefined,
        OP_BIOMETRIC_UNLOCK_ENABLED: "false",
        OP_LOAD_DESKTOP_APP_SETTINGS: "false",
      }),
    };
  }
}

/** A call that was given up. */
export class OutOfTime extends AppError {
  constructor(cause: AppError) {
    super("transient", `op was given up: it ${cause.message.replace(/^".*" /, "")}`, {
      hint:
        "op waits for a person where it wants to be allowed something: run it where somebody can answer, " +
        "or name a service account's token in the config (token:)",
      origin: "source",
      cause,
    });
  }
}
