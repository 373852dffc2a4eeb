import { milliseconds } from "../../base/duration.ts";
import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { retry } from "../../base/retry.ts";
import type { Destination } from "../../destination/contract.ts";
import type { SignedArchive } from "../../archive/chain.ts";
import { archiveParts, runOf } from "../../model/archive_name.ts";
import { clockDoubt } from "../../policy/clock_doubt.ts";
import { removalsOf, type RetentionRules, type Verdict } from "../../policy/retention.ts";
import { type Catalog, readCatalog } from "../catalog/catalog.ts";
import { KnownEntries } from "../catalog/known_entries.ts";
import { wrongPlaces } from "../catalog/places.ts";
import type { Held } from "../chain/with_state.ts";
import { readDamaged } from "../../host/damaged.ts";
import { type JobContext, stateOf } from "../context.ts";
import { openDestination, trustedSigners } from "../open.ts";
import { acceptedIn, candidatesOf, type Prunable } from "./candidates.ts";
import { judge, type Unread } from "./judge.ts";

/** Why nothing is removed at a destination, for people. */
export interface Block {
  message: string;
  hint?: string;
  /** How grave it is: trust is broken, or something is in doubt; left out where all is as it was meant to be. */
  about?: "trust" | "doubt";
}

/** What pruning has come to at one destination. */
export interface Pruned {
  destination: string;
  /** A verdict for every archive there, newest first; empty where it was not looked at. */
  verdicts: Verdict<Prunable>[];
  /** What goes now, oldest first; the rest of what may go is for the next run. */
  removals: Verdict<Prunable>[];
  /** Names of what is gone. */
  removed: string[];
  /** What was refused, or would be, for the time being: locked, or not for these credentials. */
  notYet: { archive: string; error: AppError }[];
  block: Block | undefined;
  /** Set where it could not be looked at or something could not be removed. */
  error: AppError | undefined;
  /** Other destinations that the record of the removal has not reached yet. */
  unrecorded: string[];
}

export interface PruneOptions {
  unread: Unread;
  dryRun: boolean;
  /** The archive of the run that has just ended; left out where nothing was backed up. */
  run?: string;
  /** Why nothing may be removed here, whatever the rules say. */
  blockAt(destination: string): Block | undefined;
}

/** The rules for a destination; undefined where nothing is ever pruned. */
export function rulesFor({ job }: JobContext, destination: string): RetentionRules | undefined {
  return job.destinations.find(({ name }) => name === destination)?.retention ?? job.retention;
}

/**
 * Removes at each destination that has rules what they do not keep; one that fails stops no other, and doubt about one
 * keeps everything there. What goes is first named in a signed record, here and at the destination, so that nobody
 * takes it for lost; manifests and signatures stay.
 */
export async function prune(context: JobContext, held: Held, options: PruneOptions): Promise<Pruned[]> {
  const all: Pruned[] = [];
  for (const { name } of context.job.destinations) {
    const rules = rulesFor(context, name);
    if (!rules) continue;
    const pruned = nothing(name);
    all.push(pruned);
    try {
      await pruneAt(context, held, rules, options, pruned);
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted || isAppError(known, "cancelled")) throw known;
      pruned.error = known;
    }
  }
  return all;
}

function nothing(destination: string): Pruned {
  return {
    ...{ destination, verdicts: [], removals: [], removed: [], notYet: [] },
    ...{ block: undefined, error: undefined, unrecorded: [] },
  };
}

async function pruneAt(
  context: JobContext,
  held: Held,
  rules: RetentionRules,
  options: PruneOptions,
  pruned: Pruned,
): Promise<void> {
  pruned.block = options.blockAt(pruned.destination);
  if (pruned.block && !options.dryRun) return;
  await using destination = await openDestination(context, pruned.destination, "prune");
  if (!destination.can.list || !destination.can.read || !destination.can.remove) {
    pruned.block ??= {
      message: "its credentials may only create",
      hint:
        'give it "prune:" credentials, on a computer that you trust with them, and run "vaultferry prune" there',
    };
    return;
  }
  const catalog = await readCatalog(context, destination, await trustedSigners(context));
  pruned.block ??= doubtOf(context, catalog, held, options.run);
  const damaged = (await readDamaged(context.world, stateOf(context))).get(pruned.destination) ?? new Set();
  const candidates = candidatesOf(catalog, pruned.destination, held.state, damaged);
  pruned.verdicts = await judge(context, destination, candidates, rules, options.unread);
  pruned.block ??= newestDoubt(pruned.verdicts, context.world.clock.now());
  pruned.removals = removalsOf(pruned.verdicts);
  if (options.dryRun) pruned.notYet = lockedStill(context, pruned);
  if (pruned.block || options.dryRun) return;
  await sweepChecksums(context, destination, catalog);
  if (pruned.removals.length === 0) return;
  await announce(held, pruned);
  await removeAll(context, destination, pruned);
}

/**
 * What would be refused because it is locked, as far as the config tells: the destination itself tells only whoever
 * tries. What was sent later than it was made is locked longer.
 */
function lockedStill(context: JobContext, { destination, removals }: Pruned): Pruned["notYet"] {
  const lock = lockOf(context, destination), now = context.world.clock.now();
  if (lock === undefined) return [];
  return removals.flatMap(({ archive }) => {
    const end = new Date(archive.time.getTime() + milliseconds(lock));
    if (end <= now) return [];
    return { archive: archive.name, error: new AppError("denied", `locked until ${end.toISOString()}`) };
  });
}

/** `immutableFor` of a destination. */
function lockOf({ job }: JobContext, destination: string): string | undefined {
  return job.destinations.find(({ name }) => name === destination)?.immutableFor;
}

/** What is odd at the destination as a whole. */
function doubtOf(
  context: JobContext,
  catalog: Catalog,
  held: Held,
  run: string | undefined,
): Block | undefined {
  const known = new KnownEntries([{ destination: context.job.name, catalog }], { entries: [] });
  const [broken] = wrongPlaces(known).values();
  if (broken) {
    const message = `the chain of archives there is broken: ${broken.message}`;
    return { message, hint: VERIFY, about: "trust" };
  }
  const signed = catalog.archives.flatMap(({ entry }) => entry ?? []);
  const clock = context.world.clock.now();
  const ours = run === undefined
    ? newestOf(signed, clock)
    : signed.find((one) => one.manifest.archive.name === run);
  if (!ours) {
    const message = run === undefined ? "no archive there is signed" : `"${run}" is not listed there`;
    return { message, about: "doubt" };
  }
  const { chain, sequence, time, archive } = ours.manifest;
  // In the order of their chain: times are what is in question.
  const earlier = signed.filter(({ manifest }) => manifest.chain === chain && manifest.sequence < sequence)
    .sort((a, b) => a.manifest.sequence - b.manifest.sequence)
    .map(({ manifest }) => new Date(manifest.time));
  const accepted = acceptedIn(catalog, held.state).has(runOf(archive.name));
  const doubt = accepted ? undefined : clockDoubt(earlier, new Date(time));
  if (doubt !== undefined) {
    return {
      about: "doubt",
      message: doubt,
      hint: `the next backup prunes again, or "vaultferry accept ${context.job.name} ${
        runOf(archive.name)
      }" and prune`,
    };
  }
  const now = run === undefined ? clockDoubt([...earlier, new Date(time)], clock) : undefined;
  return now === undefined
    ? undefined
    : { message: now, hint: "nothing is removed before there is a new backup", about: "doubt" };
}

/** The head of the chain that goes on: a date in the future, made once by a wrong clock, does not make it the newest. */
function newestOf(signed: readonly SignedArchive[], now: Date): SignedArchive | undefined {
  const heads = new Map<string, SignedArchive>();
  for (const one of signed) {
    const head = heads.get(one.manifest.chain);
    if (!head || head.manifest.sequence < one.manifest.sequence) heads.set(one.manifest.chain, one);
  }
  const sorted = [...heads.values()].sort((a, b) => a.manifest.time < b.manifest.time ? -1 : 1);
  return sorted.findLast(({ manifest }) => Date.parse(manifest.time) <= now.getTime()) ?? sorted.at(-1);
}

const VERIFY = "vaultferry verify --archive all shows what is wrong";

/** Old archives are safe to remove because there is a new one: so there must be one, and whole. */
function newestDoubt(verdicts: readonly Verdict<Prunable>[], now: Date): Block | undefined {
  const newest = verdicts.find(({ archive }) => archive.doubt === undefined && archive.time <= now);
  if (!newest || newest.archive.standing === "whole") return undefined;
  return { message: `the newest archive there, "${newest.archive.name}", is not complete`, about: "doubt" };
}

/** Checksum files of archives that are gone by a signed record, and whose removal was interrupted. */
async function sweepChecksums(
  context: JobContext,
  destination: Destination,
  { archives }: Catalog,
): Promise<void> {
  for (const { name, size, checksum, pruned } of archives) {
    if (size !== undefined || !checksum || !pruned) continue;
    await removeChecksum(context, destination, name);
  }
}

/** A checksum file may be locked a moment longer than its archive: then a later run sweeps it. */
async function removeChecksum(context: JobContext, destination: Destination, name: string): Promise<void> {
  try {
    await remove(context, destination, archiveParts(name).checksum);
  } catch (error) {
    if (!isAppError(error, "denied")) throw error;
  }
}

function remove({ job, signal, world }: JobContext, destination: Destination, key: string): Promise<void> {
  return retry(() => destination.remove(`${job.name}/${key}`, signal), { clock: world.clock, signal });
}

/** Signs what goes and why, and brings it there before anything goes; what a record there names already is not named again. */
async function announce({ record }: Held, pruned: Pruned): Promise<void> {
  const { destination, removals } = pruned;
  const removes = removals.filter(({ archive }) => !archive.cataloged.pruned)
    .map(({ archive, reasons }) => ({ archive: archive.name, reason: reasons.join(", ") }));
  if (removes.length === 0) return;
  const { deliveries } = await record({ kind: "prune", destination, removes });
  for (const { destination: at, error } of deliveries) {
    if (!error) continue;
    if (at === destination) throw error;
    pruned.unrecorded.push(at);
  }
}

async function removeAll(context: JobContext, destination: Destination, pruned: Pruned): Promise<void> {
  for (const { archive } of pruned.removals) {
    try {
      await remove(context, destination, archive.name);
    } catch (error) {
      if (!isAppError(error, "denied")) throw error;
      pruned.notYet.push({ archive: archive.name, error });
      continue;
    }
    pruned.removed.push(archive.name);
    await removeChecksum(context, destination, archive.name);
  }
  // Where nothing goes at all although nothing was to be locked, the credentials are not what they should be.
  if (lockOf(context, destination.name) === undefined && pruned.removed.length === 0) {
    const { error } = pruned.notYet[0]!;
    throw new AppError(error.code, `old archives cannot be removed: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      origin: "destination",
      cause: error,
    });
  }
}
