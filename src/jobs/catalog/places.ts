import { AppError } from "../../base/errors.ts";
import { signerAfter } from "../../archive/chain.ts";
import type { Known, KnownEntries } from "./known_entries.ts";

/**
 * What is wrong with the place of each entry in its chain, by the entry's hash: signed twice, not after its predecessor,
 * by a key that has no say there, or sealed to somebody whom nobody accepted.
 */
export function wrongPlaces(known: KnownEntries): Map<string, AppError> {
  const wrong = new Map<string, AppError>();
  const settled = settledBranches(known);
  const signing = { rotations: rotationsOf(known), first: firstOfEach(known) };
  for (const one of known.all()) {
    const problem = forked(one, known, settled) ?? unlinked(one, known) ?? bySomebodyElse(one, signing) ??
      recipientsAdded(one, known);
    if (problem) wrong.set(one.hash, problem);
  }
  return wrong;
}

/** Entries of branches that a `keys-trust` of the same chain names, and those that they follow. */
function settledBranches(known: KnownEntries): Set<string> {
  const settled = new Set<string>();
  for (const { entry: { manifest } } of known.all()) {
    if (manifest.kind !== "keys-trust") continue;
    const line = new Set(lineBefore(manifest.previous, known));
    for (const { chain, hash } of manifest.chains.filter(({ chain }) => chain === manifest.chain)) {
      for (const one of lineBefore(hash, known)) {
        if (chain === manifest.chain && !line.has(one)) settled.add(one);
      }
    }
  }
  return settled;
}

/** The hashes of an entry and of all that it follows, as far as they are known. */
function* lineBefore(hash: string | null, known: KnownEntries): Generator<string> {
  for (let at = hash; at !== null;) {
    const one: Known | undefined = known.byHash(at);
    if (!one) return;
    yield at;
    at = one.entry.manifest.previous;
  }
}

function forked(one: Known, known: KnownEntries, settled: ReadonlySet<string>): AppError | undefined {
  const { chain, sequence } = one.entry.manifest;
  const twins = known.at(chain, sequence);
  if (twins.length < 2 || settled.has(one.hash)) return undefined;
  const others = twins.filter((twin) => twin !== one && !settled.has(twin.hash));
  // What this host knows as its own is not the one in doubt.
  const [other] = one.own ? [] : others;
  if (!other) return undefined;
  const where = other.at.size === 0 ? "" : ` at ${[...other.at].map((name) => `"${name}"`).join(" and ")}`;
  return new AppError(
    "untrusted",
    `fork: "${other.name}"${where} has the same place ${sequence} in the chain`,
    { hint: "two hosts worked with one state, or somebody else has the key that signs" },
  );
}

function unlinked(one: Known, known: KnownEntries): AppError | undefined {
  const { chain, sequence, previous } = one.entry.manifest;
  if (sequence === 1 && previous !== null) {
    return new AppError("untrusted", "it is no. 1 and follows another");
  }
  const before = known.at(chain, sequence - 1);
  if (before.length === 0 || before.some(({ hash }) => hash === previous)) return undefined;
  // Its predecessor may be of a branch that nobody shows any more; that one's own place is not in doubt.
  return new AppError("untrusted", `it does not follow "${before[0]!.name}" in the chain`);
}

/** By chain, the entries that name another key, ascending. */
function rotationsOf(known: KnownEntries): Map<string, Known[]> {
  const rotations = known.all().filter(({ entry }) => entry.manifest.kind === "keys-rotate")
    .sort((a, b) => a.entry.manifest.sequence - b.entry.manifest.sequence);
  return Map.groupBy(rotations, ({ entry }) => entry.manifest.chain);
}

function bySomebodyElse(
  one: Known,
  { rotations, first }: { rotations: ReadonlyMap<string, Known[]>; first: ReadonlyMap<string, Known> },
): AppError | undefined {
  const { chain, sequence } = one.entry.manifest;
  const changes = rotations.get(chain) ?? [];
  const last = changes.findLast(({ entry }) => entry.manifest.sequence < sequence);
  const expected = last
    ? signerAfter(last.entry).fingerprint
    : (changes[0] ?? first.get(chain)!).entry.key.fingerprint;
  const { fingerprint } = one.entry.key;
  if (fingerprint === expected) return undefined;
  return new AppError(
    "untrusted",
    changes.some(({ entry }) => entry.key.fingerprint === fingerprint)
      ? `signed by ${fingerprint}, a key that had been rotated by then`
      : `signed by ${fingerprint}, which is not the key of its chain`,
  );
}

/** By chain, its oldest entry. */
function firstOfEach(known: KnownEntries): Map<string, Known> {
  const first = new Map<string, Known>();
  for (const one of known.all()) {
    const { chain, sequence } = one.entry.manifest;
    const older = first.get(chain);
    if (!older || sequence < older.entry.manifest.sequence) first.set(chain, one);
  }
  return first;
}

/** Somebody can open it who could not open the one before, and no `keys-accept` stands between them. */
function recipientsAdded(one: Known, known: KnownEntries): AppError | undefined {
  const { manifest } = one.entry;
  if (manifest.kind !== "archive") return undefined;
  for (const hash of lineBefore(manifest.previous, known)) {
    const before = known.byHash(hash)!.entry.manifest;
    if (!("recipients" in before)) continue;
    const accepted = before.recipients;
    const added = manifest.recipients.filter((recipient) => !accepted.includes(recipient));
    if (added.length === 0) return undefined;
    return new AppError(
      "untrusted",
      `changed recipients: sealed to ${added.join(", ")} too, whom nobody has accepted`,
    );
  }
  return undefined;
}
