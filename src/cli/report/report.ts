import type { AppError } from "../../base/errors.ts";
import { redact } from "../../base/secret.ts";
import type { World } from "../../base/world.ts";
import type { Event } from "../../model/events.ts";

/** Turns what happens into what is shown. */
export interface Report {
  emit(event: Event): void;
  /** An error that ended a job or the command. */
  error(error: AppError, job?: string): void;
  /** A result for people, such as a table; programs get `summary`. */
  result(text: string): void;
  /** The last word: one object with the exit code. */
  summary(summary: { command: string; exitCode: number; [key: string]: unknown }): void;
}

/** Writes `vaultferry: error: …` and `vaultferry: hint: …`. Everything printed passes the net against secrets. */
export function printError(world: World, error: AppError): void {
  world.terminal.err(redact(`vaultferry: error: ${error.message}\n`));
  if (error.hint !== undefined) world.terminal.err(redact(`vaultferry: hint: ${error.hint}\n`));
}
