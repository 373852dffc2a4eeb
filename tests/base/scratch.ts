import { denoFiles } from "../../src/base/deno_files.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type { Files, World } from "../../src/base/world.ts";

/** A folder that goes away with the test. */
export class Scratch implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Scratch> {
    return new Scratch(await Deno.realPath(await Deno.makeTempDir({ prefix: "vaultferry-test-" })));
  }

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file and returns its path. */
  async write(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(this.file(name), bytes, { mode });
    return this.file(name);
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(this.file(name));
  }

  /** Names in the folder, or in one below it, sorted. */
  names(folder = "."): string[] {
    return [...Deno.readDirSync(this.file(folder))].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** The real outside with some file operations replaced. */
export function worldWith(files: Partial<Files> = {}, changes: Partial<World> = {}): World {
  return { ...denoWorld(), files: { ...denoFiles, ...files }, ...changes };
}
