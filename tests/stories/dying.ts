import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import type { Files, NewFile } from "../../src/base/world.ts";

/** Files that fail for ever from one operation on, as they do when the process is dead. */
export class Dying {
  struck: string | undefined;
  #seen = 0;

  constructor(readonly at: number, readonly about: (path: string) => boolean) {}

  files(): Partial<Files> {
    const { lock: _, fileSystem: __, create, append, overwrite, ...rest } = denoFiles;
    const others = Object.entries(rest).map(([name, call]) => [name, async (...args: [string]) => {
      this.#strike(name, args[0]);
      return await (call as (...args: [string]) => Promise<unknown>)(...args);
    }]);
    return {
      ...Object.fromEntries(others) as typeof rest,
      create: (path, mode) => this.#file("create", path, () => create(path, mode)),
      append: (path, mode) => this.#file("append", path, () => append(path, mode)),
      overwrite: (path) => this.#file("overwrite", path, () => overwrite(path)),
    };
  }

  async #file(name: string, path: string, open: () => Promise<NewFile>): Promise<NewFile> {
    this.#strike(name, path);
    const file = await open();
    return {
      write: async (bytes) => {
        this.#strike("write", path);
        await file.write(bytes);
      },
      sync: async () => {
        this.#strike("sync", path);
        await file.sync();
      },
      close: () => file.close(),
    };
  }

  #strike(name: string, path: string): void {
    if (this.about(path) && ++this.#seen === this.at) this.struck = `${name} ${path}`;
    if (this.struck !== undefined) throw new AppError("unknown", "dead");
  }
}
