import { AppError, isAppError } from "../../../src/base/errors.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { Clock, Files, RunningProgram, StartOptions, World } from "../../../src/base/world.ts";
import type { Helpers } from "../../../src/destination/helpers.ts";

/** What a plugin's `open` gets: contract 1. */
export interface PluginContext {
  /** What the destination is called in the config. */
  readonly name: string;
  /** `options:` of the config, a copy. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `secrets:` of the config; `reveal()` gives a value, and printing one shows nothing. */
  readonly secrets: Readonly<Record<string, Secret>>;
  readonly helpers: Helpers;
  readonly os: World["platform"]["os"];
  readonly clock: Clock;
  readonly files: Files;
  readonly fetch: World["fetch"];
  readonly http: World["http"];
  readonly random: World["random"];
  readonly run: World["run"];
  readonly start: World["start"];
  /** Says something to the person who reads the log. */
  readonly warn: (message: string) => void;
}

/** The outside as a plugin gets it. */
export function outside(
  { platform, clock, files, fetch, http, random, run, start }: World,
): Pick<PluginContext, "os" | "clock" | "files" | "fetch" | "http" | "random" | "run" | "start"> {
  return {
    ...{ os: platform.os, clock, files, fetch, http, random },
    run: (argv, options) => run(argv, options).catch(missingProgram),
    start(argv: readonly string[], options: StartOptions): RunningProgram {
      try {
        return start(argv, options);
      } catch (error) {
        return missingProgram(error);
      }
    },
  };
}

/** A program that does not exist is no absent key, which a plugin that passes the error on would make of it. */
function missingProgram(error: unknown): never {
  if (!isAppError(error, "not-found")) throw error;
  throw new AppError("misconfigured", error.message, {
    cause: error,
    hint: "install it, or give its whole path",
  });
}
