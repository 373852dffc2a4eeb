import { AppError, type ErrorCode } from "./errors.ts";
import { collect } from "./bytes.ts";
import { quoted } from "./safe_names.ts";
import type { FileInfo, Files, Lock, NewFile } from "./world.ts";

/** Files of the operating system, through Deno. With `deno_world.ts` the only user of `Deno.*` under `src`. */
export const denoFiles: Files = {
  stat: (path) => attempt("look at", path, async () => infoOf(await Deno.lstat(path))),

  read: (path, limit) =>
    attempt("read", path, async () => {
      const file = await Deno.open(path, { read: true });
      return await collect(file.readable, limit, quoted(path));
    }),

  stream: (path, range) =>
    attempt("read", path, async () => {
      const file = await Deno.open(path, { read: true });
      if (range && range.start > 0) await file.seek(range.start, Deno.SeekMode.Start);
      const length = range?.end === undefined ? Infinity : Math.max(0, range.end - range.start);
      return pieces(file, path, length);
    }),

  create: (path, mode) =>
    attempt(
      "create",
      path,
      async () => newFile(await Deno.open(path, { write: true, createNew: true, mode }), path),
    ),

  overwrite: (path) =>
    attempt("overwrite", path, async () => {
      const file = await Deno.open(path, { write: true });
      // The runtime has no O_NOFOLLOW: what was opened must be what the name itself is.
      const [opened, named] = [await file.stat(), await Deno.lstat(path)];
      if (!named.isFile || opened.ino !== named.ino || opened.dev !== named.dev) {
        file.close();
        throw new AppError("denied", `cannot overwrite ${quoted(path)}: it is not a regular file`);
      }
      return newFile(file, path);
    }),

  fileSystem: async (path) => {
    try {
      const { statfs } = await import("node:fs/promises"); // which takes longer to load than most commands run
      return FILE_SYSTEMS.get((await statfs(path)).type);
    } catch {
      return undefined; // for a remark to people only
    }
  },

  append: (path, mode) =>
    attempt(
      "open",
      path,
      async () => newFile(await Deno.open(path, { append: true, create: true, mode }), path),
    ),

  makeFolder: (path, mode) =>
    attempt("create folder", path, () => Deno.mkdir(path, { recursive: true, mode })),

  names: (path) =>
    attempt("list", path, async () => {
      const names: string[] = [];
      for await (const entry of Deno.readDir(path)) names.push(entry.name);
      return names;
    }),

  link: (from, to) =>
    attempt("link", to, async () => {
      try {
        await Deno.link(from, to);
      } catch (error) {
        if (NO_LINKS.has(systemCode(error) ?? "") || error instanceof Deno.errors.NotSupported) {
          throw new AppError("unsupported", `the file system of ${quoted(to)} has no hard links`, {
            cause: error,
          });
        }
        throw error;
      }
    }),

  rename: (from, to) => attempt("rename to", to, () => Deno.rename(from, to)),

  remove: (path, options) =>
    attempt("remove", path, () => Deno.remove(path, options ?? { recursive: false })),

  chmod: (path, mode) => attempt("set permissions of", path, () => Deno.chmod(path, mode)),

  realPath: (path) => attempt("resolve", path, () => Deno.realPath(path)),

  syncFolder: (path) =>
    attempt("sync folder", path, async () => {
      if (Deno.build.os === "windows") return; // has no such call; NTFS journals its names
      using folder = await Deno.open(path, { read: true });
      try {
        await folder.sync();
      } catch (error) {
        // Some network file systems refuse fsync on a folder; there is nothing more that could be done there.
        if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(systemCode(error) ?? "")) throw error;
      }
    }),

  lock: (path, waitMs) => attempt("lock", path, () => lock(path, waitMs)),
};

/** What file systems answer that know no hard links (EPERM: vfat and exfat; EMLINK never means success either). */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);

/** Linux's numbers of file systems. */
const FILE_SYSTEMS = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x2fc12fc1, "zfs"],
  [0xf2f52010, "f2fs"],
  [0x01021994, "tmpfs"],
  [0x794c7630, "overlay"],
  [0x6969, "nfs"],
  [0xff534d42, "cifs"],
  [0x517b, "smb"],
  [0x4d44, "vfat"],
  [0x65735546, "fuse"],
]);

/** Bytes per read of a file stream: large enough that system calls do not count, small enough for memory. */
const PIECE = 512 * 1024;

function pieces(file: Deno.FsFile, path: string, length: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    type: "bytes", // a reader that brings an array of its own has it filled
    autoAllocateChunkSize: Math.min(PIECE, Math.max(1, length)),
    async pull(controller) {
      try {
        const { view } = controller.byobRequest!;
        const room = new Uint8Array(view!.buffer, view!.byteOffset, Math.min(view!.byteLength, left));
        const count = left === 0 ? null : await file.read(room);
        if (count === null) {
          file.close();
          controller.close();
          controller.byobRequest?.respond(0); // lets a reader that waits know
          return;
        }
        left -= count;
        controller.byobRequest!.respond(count);
      } catch (error) {
        file.close();
        throw translate("read", path, error);
      }
    },
    cancel: () => file.close(),
  });
}

function newFile(file: Deno.FsFile, path: string): NewFile {
  return {
    write: (bytes) =>
      attempt("write", path, async () => {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      }),
    sync: () => attempt("sync", path, () => file.sync()),
    close: () => file.close(),
  };
}

/**
 * flock (LockFileEx on Windows): it ends with the process, so no lock is ever stale. The runtime has no call
 * that tries without waiting, so the wait is bounded instead; a lock that arrives too late is given back.
 */
async function lock(path: string, waitMs: number): Promise<Lock | undefined> {
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  const locking = file.lock(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), waitMs));
  try {
    if (await Promise.race([locking, late]) === "late") {
      locking.then(() => file.close(), () => file.close());
      return undefined;
    }
  } catch (error) {
    file.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { release: () => file.close() };
}

function infoOf(info: Deno.FileInfo): FileInfo {
  return {
    kind: info.isSymlink ? "link" : info.isFile ? "file" : info.isDirectory ? "directory" : "other",
    size: info.size,
    mode: Deno.build.os === "windows" || info.mode === null ? undefined : info.mode & 0o7777,
    links: info.nlink ?? undefined,
    uid: Deno.build.os === "windows" ? undefined : info.uid ?? undefined,
  };
}

async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw translate(verb, path, error);
  }
}

function translate(verb: string, path: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const [code, why, hint] = meaning(cause);
  return new AppError(code, `cannot ${verb} ${quoted(path)}: ${why}`, { cause, ...(hint ? { hint } : {}) });
}

/** The hint for those who want memory, not a disk. */
const ELSEWHERE = "choose another place; in memory is also $XDG_RUNTIME_DIR (/run/user/…), and /run for root";

function meaning(error: unknown): [code: ErrorCode, why: string, hint?: string] {
  if (error instanceof Deno.errors.NotFound) return ["not-found", "it does not exist"];
  if (error instanceof Deno.errors.AlreadyExists) return ["already-exists", "it exists already"];
  if (error instanceof Deno.errors.PermissionDenied) return ["denied", "permission denied"];
  if (error instanceof Deno.errors.NotCapable) {
    // Whatever it may read and write: only --allow-all opens what could be a device.
    if (/all access/.test(error.message)) {
      return ["misconfigured", "the runtime opens nothing below /dev, /proc and /sys", ELSEWHERE];
    }
    return ["denied", "this program was started without that permission"];
  }
  if (error instanceof Deno.errors.NotADirectory) return ["not-found", "a part of the path is not a folder"];
  const code = systemCode(error);
  if (code === "ENOSPC") return ["unknown", "no space left on the device"];
  if (code === "EDQUOT") return ["unknown", "the disk quota is used up"];
  if (code === "EROFS") return ["denied", "the file system is read-only"];
  if (code === "ENOTEMPTY") return ["already-exists", "the folder is not empty"];
  if (code === "ENAMETOOLONG") return ["misconfigured", "the name is too long"];
  return [
    "unknown",
    error instanceof Error ? error.message.replace(/ \(os error \d+\).*/s, "") : String(error),
  ];
}

/** The system's error name (`ENOSPC`), where the runtime passes it on. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
