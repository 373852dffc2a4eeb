import { AppError } from "../../base/errors.ts";
import { retry } from "../../base/retry.ts";
import { isArchiveEntry, isRecordEntry, type SignedArchive, type SignedRecord } from "../../archive/chain.ts";
import type { SignerKey } from "../../archive/signature.ts";
import type { Destination } from "../../destination/contract.ts";
import { archiveParts, parseArchiveName, parseRecordName, recordParts } from "../../model/archive_name.ts";
import type { JobContext } from "../context.ts";
import { readEntries, settleTrust, type Shown } from "./entries.ts";
import { removedAt } from "./removed.ts";

/** One archive as a destination shows it. */
export interface Cataloged {
  name: string;
  /** From the name; the manifest's own time is what counts once it is verified. */
  time: Date;
  /** Bytes of the archive as stored; undefined when only its manifest is there. */
  size: number | undefined;
  /** Present when it is signed by a trusted signer. */
  entry: SignedArchive | undefined;
  /** Why there is no entry. */
  problem: AppError | undefined;
  /** Whether its checksum file lies there. */
  checksum: boolean;
  /** A signed record says that it was removed here: that only its manifest is there is as it should be. */
  pruned: boolean;
}

/** One entry without an archive as a destination shows it. */
export interface CatalogedRecord {
  name: string;
  time: Date;
  /** Present when it is signed by a trusted signer. */
  entry: SignedRecord | undefined;
  /** Why there is no entry. */
  problem: AppError | undefined;
}

/** Everything of a job at a destination, oldest first. */
export interface Catalog {
  archives: Cataloged[];
  records: CatalogedRecord[];
  /** The keys that count: those given, and those that records signed by them name. */
  trusted: SignerKey[];
}

/**
 * Every archive of the job at `destination`, oldest first. Names that are not ours are passed over.
 *
 * @throws when the destination cannot be listed: an error is never an empty list.
 */
export async function catalog(
  context: JobContext,
  destination: Destination,
  trusted: readonly SignerKey[],
): Promise<Cataloged[]> {
  return (await readCatalog(context, destination, trusted)).archives;
}

/**
 * Every archive and every record of the job at `destination`, oldest first. Names that are not ours are passed over.
 *
 * @throws when the destination cannot be listed: an error is never an empty list.
 */
export async function readCatalog(
  context: JobContext,
  destination: Destination,
  given: readonly SignerKey[],
): Promise<Catalog> {
  const sizes = await sizesAt(context, destination);
  const { archives, records } = namesOf(context, sizes);
  const shown = await readEntries(context, destination, [
    ...archives.map((name): Shown => {
      const { manifest, signature } = archiveParts(name);
      return { name, manifest, signature };
    }),
    ...records.map((name): Shown => {
      const { record, signature } = recordParts(name);
      return { name, manifest: record, signature };
    }),
  ], sizes);
  const { trusted, entries } = settleTrust(shown, given);
  const of = (name: string) => {
    const found = entries.get(name)!;
    return found instanceof AppError
      ? { entry: undefined, problem: found }
      : { entry: found, problem: undefined };
  };
  const shownRecords = records.map((name): CatalogedRecord => {
    const { entry, problem } = of(name);
    const record = entry && isRecordEntry(entry) ? entry : undefined;
    return { name, time: parseRecordName(name)!.time, entry: record, problem };
  });
  const pruned = new Set(
    shownRecords.flatMap(({ entry }) => entry ? removedAt(context, destination.name, entry, true) : []),
  );
  return {
    archives: archives.map((name) => {
      const { entry, problem } = of(name);
      const time = parseArchiveName(name)!.time;
      const archive = entry && isArchiveEntry(entry) ? entry : undefined;
      return {
        ...{ name, time, size: sizes.get(name), entry: archive, problem },
        checksum: sizes.has(archiveParts(name).checksum),
        pruned: pruned.has(name),
      };
    }),
    records: shownRecords,
    trusted,
  };
}

/** The archives and records, by the files that are there, oldest first. */
export function namesOf({ job }: JobContext, stored: ReadonlyMap<string, number>) {
  const archives = new Set<string>();
  const records = new Set<string>();
  for (const file of stored.keys()) {
    const archive = file.replace(/(\.sha256|\.manifest\.json(\.sig)?)$/, "");
    if (parseArchiveName(archive)?.job === job.name) archives.add(archive);
    const record = file.replace(/\.sig$/, "");
    if (parseRecordName(record)?.job === job.name) records.add(record);
  }
  return { archives: [...archives].sort(), records: [...records].sort() };
}

/** The files of the job at a destination, with their sizes. */
export function sizesAt(
  { job, signal, world }: JobContext,
  destination: Destination,
): Promise<Map<string, number>> {
  return retry(async () => {
    const found = new Map<string, number>();
    const prefix = `${job.name}/`;
    for await (const { key, size } of destination.list(prefix, signal)) {
      found.set(key.slice(prefix.length), size);
    }
    return found;
  }, { clock: world.clock, signal });
}

/**
 * The archive that `restore` and `verify` mean by `latest`: the highest sequence of a trusted chain (of several
 * chains the one with the newest archive), a complete one where there is any.
 */
export function latestOf<T extends Pick<Cataloged, "entry" | "size">>(
  cataloged: readonly T[],
): T | undefined {
  const usable = cataloged.filter((one) => one.entry && one.size !== undefined);
  const complete = usable.filter((one) => one.entry!.manifest.outcome === "complete");
  const heads = new Map<string, T>();
  for (const one of complete.length > 0 ? complete : usable) {
    const { chain, sequence } = one.entry!.manifest;
    const head = heads.get(chain);
    if (!head || head.entry!.manifest.sequence < sequence) heads.set(chain, one);
  }
  return [...heads.values()].sort((a, b) => timeOf(a) - timeOf(b)).at(-1);
}

/**
 * Archives that are newer than `picked` and cannot be used: damaged, unsigned, or with nothing but their manifest
 * left. Whoever asked for the latest must hear of them; an older one is not what was meant.
 */
export function newerInDoubt(cataloged: readonly Cataloged[], picked: Cataloged): Cataloged[] {
  return cataloged.filter((one) => one.time > picked.time && doubtOf(one) !== undefined);
}

/** Why an archive that is listed cannot be used. */
export function doubtOf(one: Cataloged): AppError | undefined {
  if (one.problem) return one.problem;
  return one.size === undefined && !one.pruned
    ? new AppError("corrupt", "missing: only its manifest is there")
    : undefined;
}

function timeOf(one: Pick<Cataloged, "entry">): number {
  return Date.parse(one.entry!.manifest.time);
}

/** The archive that a person named: `latest`, or its file name with or without an ending. */
export function pick(cataloged: readonly Cataloged[], wanted: string): Cataloged | undefined {
  if (wanted === "latest") return latestOf(cataloged);
  return cataloged.find((one) =>
    one.name === wanted || one.name.replace(/\.tar\.(zst|gz)\.age$/, "") === wanted
  );
}
