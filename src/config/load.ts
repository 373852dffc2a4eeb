import { posix, win32 } from "node:path";
import { fromUtf8 } from "../base/bytes.ts";
import { AppError, isAppError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { printable, quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { type ConfigDocument, type ConfigPath, type Problem, readDocument } from "./document.ts";
import { pathText, phrase, problemsOf } from "./issues.ts";
import { placesOf } from "./locate.ts";
import type { Registry } from "./registry.ts";
import { type Config, configSchema, type JobConfig } from "./schema.ts";

/** A config as it was read. */
export interface LoadedConfig {
  path: string;
  config: Config;
  /** What does not stop a run and should be said. */
  warnings: string[];
}

const LONGEST_CONFIG = 1024 * 1024;
const MOST_PROBLEMS = 20;

/** The config file to use: the one asked for, else the first that exists of the usual places. */
export async function findConfig(world: World, explicit?: string): Promise<string> {
  const chosen = explicit ?? world.env("VAULTFERRY_CONFIG");
  if (chosen !== undefined) {
    if (await exists(world, chosen)) return chosen;
    const from = explicit === undefined ? " (from VAULTFERRY_CONFIG)" : "";
    throw new AppError("misconfigured", `the config ${quoted(chosen)}${from} does not exist`);
  }
  const places = placesOf(world);
  for (const place of places) if (await exists(world, place)) return place;
  throw new AppError("misconfigured", `no config: looked for ${places.map(quoted).join(" and ")}`, {
    hint: "write one there (the README has an example), or name one with --config or VAULTFERRY_CONFIG; " +
      '"vaultferry restore --file ARCHIVE" opens an archive without any',
  });
}

/** Reads and checks the config at `path`; throws one `misconfigured` that names everything that is wrong. */
export async function loadConfig(world: World, path: string, registry: Registry): Promise<LoadedConfig> {
  const document = readDocument(await readText(world, path));
  if (document.problems.length > 0) throw refusal(path, document.problems);
  const parsed = configSchema(registry).safeParse(document.value, { error: phrase });
  const problems = unfilled(document, document.value, []);
  if (!parsed.success) throw refusal(path, [...problemsOf(parsed.error.issues, document), ...problems]);
  const config = parsed.data;
  // The schema does not know the platform, and takes the absolute paths of both kinds.
  const absolute = world.platform.os === "windows" ? win32.isAbsolute : posix.isAbsolute;
  if (config.state !== undefined && !absolute(config.state)) {
    const at = document.positionOf(["state"], "value");
    problems.push({ ...at, path: ["state"], message: "must be an absolute path" });
  }
  if (problems.length > 0) throw refusal(path, problems);
  return { path, config, warnings: await warningsOf(world, path) };
}

/** The jobs a command is for: the named one, all, or the only one there is. */
export function selectJobs(config: Config, name: string | undefined, all: boolean): JobConfig[] {
  const jobs = Object.values(config.jobs);
  const known = jobs.map((job) => `"${job.name}"`).join(", ");
  if (name !== undefined && all) throw new AppError("misconfigured", "give a job or --all, not both");
  if (all) return jobs;
  if (name !== undefined) {
    const job = jobs.find((job) => job.name === name);
    if (job) return [job];
    const meant = nearest(name, jobs.map((job) => job.name));
    throw new AppError("misconfigured", `no job ${quoted(name)} in the config`, {
      hint: meant === undefined ? `its jobs are ${known}` : `did you mean "${meant}"?`,
    });
  }
  if (jobs.length > 1) {
    throw new AppError("misconfigured", `the config has several jobs: ${known}`, {
      hint: 'name one of them; "backup" also takes --all',
    });
  }
  return jobs;
}

async function exists(world: World, path: string): Promise<boolean> {
  try {
    await world.files.stat(path);
    return true;
  } catch (error) {
    if (isAppError(error, "not-found")) return false;
    // A config that cannot be looked at is not an absent one: the next place might hold an outdated one.
    throw misconfigured(error);
  }
}

async function readText(world: World, path: string): Promise<string> {
  try {
    return fromUtf8(await world.files.read(path, LONGEST_CONFIG), quoted(path));
  } catch (error) {
    throw misconfigured(error);
  }
}

function misconfigured(error: unknown): unknown {
  return error instanceof AppError ? new AppError("misconfigured", error.message, { cause: error }) : error;
}

/** All problems, one a line, in the order of the text. */
function refusal(path: string, problems: Problem[]): AppError {
  const sorted = problems.toSorted((one, other) => one.line - other.line || one.column - other.column);
  const lines = sorted.slice(0, MOST_PROBLEMS).map((problem) => {
    const where = problem.path.length === 0 ? "" : `${pathText(problem.path)}: `;
    return `${printable(path)}:${problem.line}:${problem.column}: ${where}${problem.message}`;
  });
  if (sorted.length > MOST_PROBLEMS) lines.push(`… and ${sorted.length - MOST_PROBLEMS} more`);
  return new AppError("misconfigured", lines.join("\n"));
}

/** Texts with `${NAME}`: nothing fills them in, so they would be taken as they stand. Names of vaults may hold anything. */
function unfilled(document: ConfigDocument, value: unknown, path: ConfigPath): Problem[] {
  const key = path.at(-1);
  if (key === "command" || key === "vaults" && path.length === 3) return [];
  if (typeof value === "string" && /\$\{\w+\}/.test(value)) {
    const message = "holds ${…}, and variables are not filled in; a secret may be env:NAME";
    return [{ ...document.positionOf(path, "value"), path, message }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    unfilled(document, inner, [...path, Array.isArray(value) ? Number(name) : name])
  );
}

/** Who can write the config decides where the backups go and who can open them. */
async function warningsOf(world: World, path: string): Promise<string[]> {
  const { mode } = await world.files.stat(await world.files.realPath(path));
  if (mode === undefined || (mode & 0o022) === 0) return [];
  return [`other users may write ${quoted(path)}, and so decide who can open the backups: chmod go-w`];
}
