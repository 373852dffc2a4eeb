import { throwIfCancelled, toAppError } from "../base/errors.ts";
import type { Shortfall } from "../model/shortfall.ts";
import { CombinedSource } from "../source/combined/source.ts";
import { checkOneAccount } from "../source/combined/account.ts";
import { Door } from "../source/combined/door.ts";
import type { Source } from "../source/contract.ts";
import type { SourceConfig } from "../config/schema.ts";
import type { JobContext } from "./context.ts";
import { openDoor, openSource, patienceOf } from "./open.ts";

/**
 * Opens the job's source, together with those under `also:` where it has any: one that cannot be opened then is a
 * gap and does not keep the others from being used.
 *
 * @throws what the main source fails with, and `misconfigured` when two lead to different accounts.
 */
export async function openDoors(context: JobContext): Promise<Source> {
  const { job, signal } = context;
  if (job.also.length === 0) return await openSource(context);
  const patience = patienceOf(context);
  const open = async (config: SourceConfig, name: string, main: boolean) => {
    const source = await openDoor(context, config, patience);
    try {
      return new Door(name, source, main, await source.account(signal));
    } catch (error) {
      await source[Symbol.asyncDispose]();
      throw error;
    }
  };
  const names = namesOf([job.source, ...job.also]);
  const opened: Door[] = [];
  const failures: { name: string; error: unknown }[] = [];
  try {
    const main = await open(job.source, names[0]!, true);
    opened.push(main);
    for (const [at, config] of job.also.entries()) {
      const name = names[at + 1]!;
      try {
        opened.push(await open(config, name, false));
      } catch (error) {
        throwIfCancelled(signal);
        if (toAppError(error).code === "cancelled") throw error;
        failures.push({ name, error });
      }
    }
    for (const other of opened.slice(1)) checkOneAccount(main, other);
    const combined = new CombinedSource(main, opened.slice(1), (message) => {
      context.emit({ event: "warning", job: job.name, code: "doors", message });
    });
    for (const { name, error } of failures) combined.failedDoor(name, error, signal);
    return combined;
  } catch (error) {
    await Promise.allSettled(opened.map(({ source }) => source[Symbol.asyncDispose]()));
    throw error;
  }
}

/** The doors of a job that cannot be used at all, as gaps; known once the vaults have been listed. */
export function failedDoors(source: Source): readonly Shortfall[] {
  return source instanceof CombinedSource ? source.failed : [];
}

/** The config's types, with a number from the second of a type on. */
function namesOf(configs: readonly SourceConfig[]): string[] {
  const seen = new Map<string, number>();
  return configs.map(({ type }) => {
    const nth = (seen.get(type) ?? 0) + 1;
    seen.set(type, nth);
    return nth === 1 ? type : `${type}-${nth}`;
  });
}
