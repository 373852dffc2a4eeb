import { type AppError, isAppError, toAppError } from "../../base/errors.ts";
import { type Damaged, readDamaged, writeDamaged } from "../../host/damaged.ts";
import { type JobContext, stateOf } from "../context.ts";
import type { Cataloged } from "./catalog.ts";

/** What was found out about one copy. */
interface Checked {
  destination: string;
  archive: string;
  /** Undefined when the copy is what its host signed. */
  problem: AppError | undefined;
  /** Whether every byte was read and compared. */
  read: boolean;
}

/** A destination that was looked at, with what lies there. */
interface Looked {
  destination: string;
  catalog: { archives: readonly Cataloged[] };
}

/**
 * Remembers which copies were found damaged, for pruning not to count on them, until they are found good or are gone.
 * Where that cannot be remembered it is a warning: looking is not kept from anybody.
 */
export async function rememberDamage(
  context: JobContext,
  looked: readonly Looked[],
  copies: readonly Checked[],
): Promise<void> {
  try {
    const before = await known(context);
    // Who has not read everything cannot tell what a list said that is damaged itself.
    if (!before && !readAll(context, looked, copies)) return;
    const after = damageAfter(before ?? new Map(), looked, copies);
    if (!before || !same(before, after)) await writeDamaged(context.world, stateOf(context), after);
  } catch (error) {
    const { code, message } = toAppError(error);
    context.emit({
      event: "warning",
      job: context.job.name,
      code,
      message: `pruning on this host does not learn which copies are damaged: ${message}`,
    });
  }
}

/** Undefined where it makes no sense. */
async function known(context: JobContext): Promise<Damaged | undefined> {
  try {
    return await readDamaged(context.world, stateOf(context));
  } catch (error) {
    if (isAppError(error, "corrupt")) return undefined;
    throw error;
  }
}

/** Whether every copy at every destination of the job was read, or found to be nothing to rely on. */
function readAll({ job }: JobContext, looked: readonly Looked[], copies: readonly Checked[]): boolean {
  const done = new Set(
    copies.filter(({ read, problem }) => read || problem).map((one) => `${one.destination}/${one.archive}`),
  );
  return job.destinations.every(({ name }) => looked.some(({ destination }) => destination === name)) &&
    looked.every(({ destination, catalog }) =>
      catalog.archives.every(({ name, size }) => size === undefined || done.has(`${destination}/${name}`))
    );
}

function damageAfter(
  before: Damaged,
  looked: readonly Looked[],
  copies: readonly Checked[],
): Map<string, Set<string>> {
  const after = new Map([...before].map(([name, set]) => [name, new Set(set)]));
  for (const { destination, catalog } of looked) {
    const there = new Set(catalog.archives.flatMap(({ name, size }) => size === undefined ? [] : [name]));
    const damaged = new Set([...after.get(destination) ?? []].filter((name) => there.has(name)));
    for (const { archive, read, problem } of copies.filter((one) => one.destination === destination)) {
      if (problem === undefined && read) damaged.delete(archive);
      else if (isAppError(problem, "corrupt") && there.has(archive)) damaged.add(archive);
    }
    if (damaged.size > 0) after.set(destination, damaged);
    else after.delete(destination);
  }
  return after;
}

function same(one: Damaged, other: Damaged): boolean {
  const text = (damaged: Damaged) =>
    JSON.stringify([...damaged].map(([name, set]) => [name, [...set].sort()]).sort());
  return text(one) === text(other);
}
