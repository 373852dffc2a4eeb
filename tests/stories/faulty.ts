import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import type { Files, NewFile } from "../../src/base/world.ts";

/** Files that fail at one operation that changes something, and from there on where the power is gone. */
export class Faulty {
  /** Every operation that changes something, in their order. */
  readonly seen: string[] = [];
  struck = "nothing";
  #off = false;

  constructor(readonly fault: { at: number; forEver: boolean; half?: boolean }) {}

  files(): Files {
    const reading =
      <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => (...args: Args): Promise<T> =>
        this.#off ? Promise.reject(gone()) : call(...args);
    const changing =
      <Args extends unknown[], T>(name: string, call: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        this.#strike(`${name} ${args[0]}`);
        return await call(...args);
      };
    return {
      ...denoFiles,
      stat: reading(denoFiles.stat),
      read: reading(denoFiles.read),
      stream: reading(denoFiles.stream),
      names: reading(denoFiles.names),
      realPath: reading(denoFiles.realPath),
      // A lock ends with its process.
      lock: denoFiles.lock,
      makeFolder: changing("makeFolder", denoFiles.makeFolder),
      link: changing("link", denoFiles.link),
      rename: changing("rename", denoFiles.rename),
      remove: changing("remove", denoFiles.remove),
      chmod: changing("chmod", denoFiles.chmod),
      syncFolder: changing("syncFolder", denoFiles.syncFolder),
      create: async (path, mode) => this.#file(await changing("create", denoFiles.create)(path, mode), path),
      append: async (path, mode) => this.#file(await changing("append", denoFiles.append)(path, mode), path),
    };
  }

  #file(file: NewFile, path: string): NewFile {
    return {
      write: async (bytes) => {
        try {
          this.#strike(`write ${path}`);
        } catch (error) {
          if (this.fault.half && this.struck === `write ${path}`) {
            await file.write(bytes.subarray(0, bytes.length >> 1));
          }
          this.struck += " ";
          throw error;
        }
        await file.write(bytes);
      },
      sync: async () => {
        this.#strike(`sync ${path}`);
        await file.sync();
      },
      close: () => file.close(),
    };
  }

  #strike(what: string): void {
    if (this.#off) throw gone();
    if (this.seen.push(what) !== this.fault.at) return;
    this.struck = what;
    this.#off = this.fault.forEver;
    throw gone();
  }
}

function gone(): AppError {
  return new AppError("unknown", "cannot reach the disk: input/output error");
}
