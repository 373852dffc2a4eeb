/** How the bytes between tar and age are compressed; part of the archive's file name. */
export type Compression = "zstd" | "gzip";

/** The parts of an archive's file name. */
export interface ArchiveName {
  job: string;
  /** The start of the run; whole seconds, UTC. */
  time: Date;
  /** 8 hexadecimal digits that keep two runs of one second apart. */
  nonce: string;
  compression: Compression;
}

const RUN = /^([a-z0-9-]{1,40})_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z_([0-9a-f]{8})$/;
const PATTERN = /^([^.]*)\.tar\.(zst|gz)\.age$/;
const ENDING = /\.tar\.(zst|gz)\.age$/;
const RECORD = ".record.json";

/** `<job>_<YYYYMMDD>T<HHMMSS>Z_<8 hex>.tar.zst.age`: sorts by job and time, and is safe on every file system. */
export function formatArchiveName(name: ArchiveName): string {
  return `${formatRunName(name)}.tar.${name.compression === "zstd" ? "zst" : "gz"}.age`;
}

function formatRunName({ job, time, nonce }: Omit<ArchiveName, "compression">): string {
  return `${job}_${time.toISOString().replace(/[-:]/g, "").replace(/\.\d+Z$/, "Z")}_${nonce}`;
}

/** The parts of `text`, or undefined when it is no archive name of ours; such names are never touched. */
export function parseArchiveName(text: string): ArchiveName | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, run = "", ending] = match;
  const parts = parseRunName(run);
  return parts && { ...parts, compression: ending === "zst" ? "zstd" : "gzip" };
}

/** A run by its name: the archive's file name without its ending, `<job>_<YYYYMMDD>T<HHMMSS>Z_<8 hex>`. */
export function parseRunName(text: string): Omit<ArchiveName, "compression"> | undefined {
  const match = RUN.exec(text);
  if (!match) return undefined;
  const [, job = "", year, month, day, hour, minute, second, nonce = ""] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) return undefined;
  const name = { job, time, nonce };
  // 30 February parses as 1 March: only a name that we would write ourselves is ours.
  return formatRunName(name) === text ? name : undefined;
}

/** The run that made an archive; a run's name is returned as it is. */
export function runOf(archive: string): string {
  return archive.replace(ENDING, "");
}

/** The names that a run's archive may have. */
export function archivesOf(run: string): string[] {
  return ["zst", "gz"].map((ending) => `${run}.tar.${ending}.age`);
}

/** The name of an entry without an archive: `<job>_<YYYYMMDD>T<HHMMSS>Z_<8 hex>.record.json`. */
export function formatRecordName(name: Omit<ArchiveName, "compression">): string {
  return formatRunName(name) + RECORD;
}

/** The parts of `text`, or undefined when it is not the name of a record of ours. */
export function parseRecordName(text: string): Omit<ArchiveName, "compression"> | undefined {
  return text.endsWith(RECORD) ? parseRunName(text.slice(0, -RECORD.length)) : undefined;
}

/** The files that make up one published record, in the order of their upload. */
export function recordParts(name: string) {
  return { record: name, signature: `${name}.sig` };
}

/** The files that make up one published archive, in the order of their upload: the signature is the commit. */
export function archiveParts(name: string) {
  return {
    archive: name,
    checksum: `${name}.sha256`,
    manifest: `${name}.manifest.json`,
    signature: `${name}.manifest.json.sig`,
  };
}

/** The job names that a config may hold: they become folder and file names everywhere. */
export const JOB_NAME = /^[a-z0-9-]{1,40}$/;
