import { type AppError, isAppError, toAppError } from "../../base/errors.ts";
import { headOf, type SignedArchive, type SignedManifest } from "../../archive/chain.ts";
import type { Contents } from "../../archive/contents.ts";
import type { Destination } from "../../destination/contract.ts";
import { JobState } from "../../host/state.ts";
import type { Counts } from "../../model/counts.ts";
import { type Cataloged, type CatalogedRecord, doubtOf, newerInDoubt, pick, readCatalog } from "./catalog.ts";
import { type JobContext, stateOf } from "../context.ts";
import { destinationNames, openDestination, trustedSigners } from "../open.ts";
import { checkCopy, checkSize } from "./check_copy.ts";
import { rememberDamage } from "./damage.ts";
import { KnownEntries, type Shelf } from "./known_entries.ts";
import { wrongPlaces } from "./places.ts";
import { type Missing, missingAt, neverSentTo, type Promises, promisesOf } from "./promises.ts";

export interface VerifyOptions {
  /** One destination, or all of the job's. */
  from: string | undefined;
  /** A name, `latest` or `all`. */
  archive: string;
  /** Of all archives, the share whose bytes are read, from 0 to 1; the newest is always among them. */
  sample?: number | undefined;
  /** Opens each archive and checks every entry in it, where given. */
  identities: readonly string[] | undefined;
  /** Keeps what the signed manifests and the opened archives say, for looking at it afterwards. */
  keep?: boolean;
}

/** What was found out about one copy, or about a record that is not as it should be. */
export interface Verified {
  destination: string;
  archive: string;
  /** Undefined when the copy is what its host signed. */
  problem: AppError | undefined;
  time: Date | undefined;
  size: number | undefined;
  sequence: number | undefined;
  outcome: string | undefined;
  /** Whether every byte was read and compared. */
  read: boolean;
  /** What an opened archive holds. */
  opened: Counts | undefined;
  /** With `keep`, of a copy that is good: its signed manifest, and the inner one where it was opened. */
  kept?: { entry: SignedArchive; contents: Contents | undefined };
}

export interface Verification {
  copies: Verified[];
  /** By destination, archives that are elsewhere and that it was never sent; nothing to alarm about. */
  neverSent: { destination: string; archives: string[] }[];
  /** Destinations that could not be asked. */
  failures: { destination: string; error: AppError }[];
}

/** A destination that stays open for the second look. */
interface OpenShelf extends Shelf {
  opened: Destination;
}

/**
 * Checks copies of a job's archives: signature, name, size, SHA-256, checksum file, with identities the whole of the
 * contents; and of all that is signed, wherever it lies, that it is in its place in its chain and that nothing is gone
 * which was once read back. Changes nothing, but that this host remembers what was damaged.
 */
export async function verify(context: JobContext, options: VerifyOptions): Promise<Verification> {
  const trusted = await trustedSigners(context);
  const own = await ownChain(context);
  const verification: Verification = { copies: [], neverSent: [], failures: [] };
  await using stack = new AsyncDisposableStack();
  const found: Omit<OpenShelf, "pruned">[] = [];
  const attempt = async (destination: string, step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted || isAppError(known, "cancelled")) throw known;
      verification.failures.push({ destination, error: known });
    }
  };
  for (const name of destinationNames(context, options.from)) {
    await attempt(name, async () => {
      const opened = stack.use(await openDestination(context, name, "read"));
      found.push({ destination: name, opened, catalog: await readCatalog(context, opened, trusted) });
    });
  }
  const known = new KnownEntries(found, own);
  const shelves = found.map((shelf) => ({ ...shelf, pruned: known.prunedAt(context, shelf.destination) }));
  const wrong = wrongPlaces(known);
  const promises = promisesOf(known, own.promises);
  for (const shelf of shelves) {
    await attempt(shelf.destination, async () => {
      verification.copies.push(...await verifyShelf(context, shelf, options, wrong));
      verification.copies.push(...lostAt(shelf, options, known, promises));
    });
    const archives = neverSentTo(shelf, shelves, promises);
    if (archives.length > 0) verification.neverSent.push({ destination: shelf.destination, archives });
  }
  await rememberDamage(context, shelves, verification.copies);
  return verification;
}

/** What this host's state has to say; a damaged one keeps nobody from looking at the copies. */
async function ownChain(context: JobContext) {
  const entries: SignedManifest[] = [];
  let state: JobState;
  try {
    state = await JobState.load(context.world, stateOf(context));
  } catch (error) {
    if (!isAppError(error, "corrupt", "unsupported")) throw error;
    const message = `what this host remembers is left aside: ${error.message}`;
    context.emit({ event: "warning", job: context.job.name, code: error.code, message });
    return { entries, promises: undefined };
  }
  for (const sequence of state.sequences) {
    try {
      entries.push(await state.entry(sequence));
    } catch (error) {
      if (!isAppError(error, "corrupt", "unsupported")) throw error; // the destinations may still show it
    }
  }
  const { head } = state;
  return { entries, promises: head && { ...head, receipts: state.receipts() } };
}

async function verifyShelf(
  context: JobContext,
  { opened, catalog, destination, pruned }: OpenShelf,
  options: VerifyOptions,
  wrong: ReadonlyMap<string, AppError>,
): Promise<Verified[]> {
  const misplaced = ({ entry }: Cataloged | CatalogedRecord) => entry && wrong.get(headOf(entry).hash);
  const archives = wanted(catalog.archives, options.archive)
    .filter((one) => one.size !== undefined || !pruned.has(one.name));
  const sampled = sample(context, archives, options.sample);
  const copies: Verified[] = [];
  for (const one of archives) {
    const problem = doubtOf(one) ?? misplaced(one);
    copies.push(await verifyCopy(context, opened, { ...one, problem }, sampled.has(one), options));
  }
  // Records are few and small, and what is wrong with one concerns all archives.
  for (const one of catalog.records) {
    const problem = one.problem ?? misplaced(one);
    if (problem) copies.push({ ...NOTHING, destination, archive: one.name, time: one.time, problem });
  }
  return copies;
}

function wanted(cataloged: readonly Cataloged[], archive: string): readonly Cataloged[] {
  if (archive === "all") return cataloged;
  const picked = pick(cataloged, archive);
  if (picked) return archive === "latest" ? [picked, ...newerInDoubt(cataloged, picked)] : [picked];
  // "latest" when nothing can be trusted: the newest one tells why.
  return archive === "latest" ? cataloged.slice(-1) : [];
}

/** Those whose bytes are read: all, or by chance so many of them, the newest among them. */
function sample(
  { world }: JobContext,
  archives: readonly Cataloged[],
  share: number | undefined,
): Set<Cataloged> {
  if (share === undefined) return new Set(archives);
  const chosen = new Set(archives.slice(-1));
  const left = archives.slice(0, -1);
  const count = Math.ceil(archives.length * share);
  while (chosen.size < count && left.length > 0) {
    const [high = 0, low = 0, more = 0] = world.random(3);
    chosen.add(left.splice((high * 65536 + low * 256 + more) % left.length, 1)[0]!);
  }
  return chosen;
}

const NOTHING = { size: undefined, sequence: undefined, outcome: undefined, read: false, opened: undefined };

async function verifyCopy(
  context: JobContext,
  destination: Destination,
  one: Cataloged,
  read: boolean,
  { identities, keep }: VerifyOptions,
): Promise<Verified> {
  const manifest = one.entry?.manifest;
  const verified: Verified = {
    destination: destination.name,
    archive: one.name,
    problem: one.problem,
    time: one.time,
    size: one.size,
    sequence: manifest?.sequence,
    outcome: manifest?.outcome,
    read: false,
    opened: undefined,
  };
  if (!one.entry || verified.problem) return verified;
  try {
    checkSize(one);
    const contents = read ? await checkCopy(context, destination, one, identities) : undefined;
    verified.opened = contents?.counts;
    verified.read = read;
    if (keep) verified.kept = { entry: one.entry, contents };
  } catch (error) {
    const problem = toAppError(error);
    if (!isAppError(problem, "corrupt", "not-found", "unsupported", "wrong-identity")) throw problem;
    verified.problem = problem;
  }
  return verified;
}

/** What is missing, as far as it was asked for: with `latest`, what is newer than the one that is taken for it. */
function lostAt(
  shelf: OpenShelf,
  options: VerifyOptions,
  known: KnownEntries,
  promises: Promises,
): Verified[] {
  const missing = missingAt(shelf, known, promises);
  const latest = pick(shelf.catalog.archives, "latest")?.entry?.manifest;
  const asked = (one: Missing) => {
    if (options.archive === "all") return true;
    if (options.archive !== "latest") return one.name === pick(shelf.catalog.archives, options.archive)?.name;
    if (!latest) return one === missing.at(-1);
    return one.chain === latest.chain && one.sequence > latest.sequence;
  };
  return missing.filter(asked).map(({ name, sequence, problem, entry }) => ({
    ...NOTHING,
    destination: shelf.destination,
    archive: name,
    problem,
    time: entry && new Date(entry.manifest.time),
    sequence,
    outcome: entry?.manifest.kind === "archive" ? entry.manifest.outcome : undefined,
  }));
}
