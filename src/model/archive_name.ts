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

const PATTERN =
  /^([a-z0-9-]{1,40})_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z_([0-9a-f]{8})\.tar\.(zst|gz)\.age$/;

/** `<job>_<YYYYMMDD>T<HHMMSS>Z_<8 hex>.tar.zst.age`: sorts by job and time, and is safe on every file system. */
export function formatArchiveName(name: ArchiveName): string {
  const time = name.time.toISOString().replace(/[-:]/g, "").replace(/\.\d+Z$/, "Z");
  return `${name.job}_${time}_${name.nonce}.tar.${name.compression === "zstd" ? "zst" : "gz"}.age`;
}

/** The parts of `text`, or undefined when it is no archive name of ours; such names are never touched. */
export function parseArchiveName(text: string): ArchiveName | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, job = "", year, month, day, hour, minute, second, nonce = "", ending] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) return undefined;
  const name: ArchiveName = { job, time, nonce, compression: ending === "zst" ? "zstd" : "gzip" };
  // 30 February parses as 1 March: only a name that we would write ourselves is ours.
  return formatArchiveName(name) === text ? name : undefined;
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
