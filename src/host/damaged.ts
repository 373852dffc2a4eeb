import { z } from "zod";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { exists, writeDurably } from "../base/durable_file.ts";
import { AppError, isAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

/**
 * Copies that `verify` has found damaged, names of archives by destination, so that nothing counts on them.
 * `<state>/<job>/damaged.json`
 */
export type Damaged = ReadonlyMap<string, ReadonlySet<string>>;

const form = z.record(z.string(), z.array(z.string()));
const LIMIT = 1024 * 1024;

/** @throws `corrupt` when the file makes no sense */
export async function readDamaged({ files }: World, folder: string): Promise<Damaged> {
  const path = pathIn(folder);
  try {
    const found = form.parse(JSON.parse(fromUtf8(await files.read(path, LIMIT), "the list")));
    return new Map(Object.entries(found).map(([destination, names]) => [destination, new Set(names)]));
  } catch (cause) {
    if (isAppError(cause, "not-found")) return new Map();
    if (isAppError(cause, "denied")) throw cause;
    throw new AppError("corrupt", `${quoted(path)} is damaged, so which copies are is not known`, {
      hint: "vaultferry verify --archive all finds out again",
      cause,
    });
  }
}

/** Writes it, where this host has a state of the job at all. */
export async function writeDamaged(world: World, folder: string, damaged: Damaged): Promise<void> {
  if (!await exists(world.files, folder)) return;
  const { uid } = await world.files.stat(folder);
  // The backup could not read it, and would prune no more.
  if (uid !== undefined && uid !== world.uid()) {
    throw new AppError("denied", `${quoted(folder)} belongs to another user: verify as that one`);
  }
  const entries = [...damaged].filter(([, names]) => names.size > 0)
    .map(([destination, names]): [string, string[]] => [destination, [...names].sort()]);
  if (entries.length === 0) {
    if (await exists(world.files, pathIn(folder))) await world.files.remove(pathIn(folder));
    return;
  }
  const text = JSON.stringify(Object.fromEntries(entries)) + "\n";
  await writeDurably(world, pathIn(folder), utf8(text), { mode: "replace", bits: 0o600 });
}

function pathIn(folder: string): string {
  return `${folder}/damaged.json`;
}
