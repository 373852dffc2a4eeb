import { AppError, toAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { SignedArchive } from "../../archive/chain.ts";
import { catalog, type Cataloged, doubtOf, newerInDoubt, pick } from "../catalog/catalog.ts";
import type { JobContext } from "../context.ts";
import { fetchArchive, type Fetched } from "./fetch.ts";
import { destinationNames, openDestination, trustedSigners } from "../open.ts";

/**
 * Fetches an archive from the first destination, in config order, that has a copy which verifies (or from the
 * one named `from`). A destination that fails is told as a warning and the next one is asked.
 *
 * @throws `not-found` when no destination has it; else what the last one in doubt said.
 */
export async function fetchFirst(
  context: JobContext,
  choice: { archive: string; from: string | undefined },
): Promise<{ fetched: Fetched; entry: SignedArchive }> {
  const trusted = await trustedSigners(context);
  const names = destinationNames(context, choice.from);
  let doubt: AppError | undefined;
  for (const name of names) {
    try {
      const destination = await openDestination(context, name, "read");
      await using _ = destination;
      context.emit({ event: "phase", job: context.job.name, phase: "fetch", destination: name });
      const cataloged = await catalog(context, destination, trusted);
      const entry = entryOf(context, name, cataloged, choice.archive);
      if (entry) return { fetched: await fetchArchive(context, destination, entry), entry };
    } catch (error) {
      doubt = toAppError(error);
      if (context.signal.aborted || doubt.code === "cancelled") throw doubt;
      context.emit({
        event: "warning",
        job: context.job.name,
        code: "destination",
        message: `"${name}" cannot give the archive: ${doubt.message}`,
        ...(doubt.hint === undefined ? {} : { hint: doubt.hint }),
      });
    }
  }
  if (doubt) throw doubt;
  throw new AppError(
    "not-found",
    choice.archive === "latest"
      ? `there is no archive of job "${context.job.name}"`
      : `there is no archive ${quoted(choice.archive)} of job "${context.job.name}"`,
    { hint: '"vaultferry list" shows what there is' },
  );
}

/** The signed entry of the archive that was asked for; undefined when it is not there at all. */
function entryOf(
  context: JobContext,
  destination: string,
  cataloged: readonly Cataloged[],
  wanted: string,
): SignedArchive | undefined {
  const picked = pick(cataloged, wanted);
  if (picked?.entry) {
    for (const one of wanted === "latest" ? newerInDoubt(cataloged, picked) : []) {
      context.emit({
        event: "warning",
        job: context.job.name,
        code: "newer-in-doubt",
        message: `a newer backup at "${destination}" cannot be used: ${one.name}: ${doubtOf(one)!.message}`,
        hint: `taking ${picked.name} instead`,
      });
    }
    return picked.entry;
  }
  // Something is there, but nothing that may be trusted: its own words are better than "not found".
  const problem = picked?.problem ?? (wanted === "latest" ? cataloged.at(-1)?.problem : undefined);
  if (problem) throw problem;
  return undefined;
}
