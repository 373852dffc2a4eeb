import type { World } from "../base/world.ts";
import type { Contents } from "../archive/contents.ts";
import { layout } from "../archive/layout.ts";
import type { TarEntry } from "../archive/tar.ts";
import type { Chooser } from "./restore_choice.ts";

/** Writes the chosen entries of a checked archive below one folder, which it makes and nothing else may have made. */
export class Extraction {
  readonly counts = { vaults: 0, items: 0, files: 0, bytes: 0 };
  readonly #folders = new Set<string>();
  readonly #incomplete: ReadonlyMap<string, number>;

  constructor(
    readonly world: World,
    readonly root: string,
    contents: Contents,
    readonly choice: Chooser,
  ) {
    this.#incomplete = incompleteFiles(contents);
  }

  /** Takes one entry: extracts it when it is wanted, passes over it otherwise. */
  async take(entry: TarEntry): Promise<void> {
    if (!this.choice.wants(entry.path)) return await entry.body.cancel();
    const real = this.#incomplete.get(entry.path);
    const path = `${this.root}/${entry.path}${real === undefined ? "" : ".incomplete"}`;
    await this.#makeFolder(path.slice(0, path.lastIndexOf("/")));
    const file = await this.world.files.create(path, 0o600);
    let written = 0;
    try {
      for await (const piece of entry.body) {
        // What was padded to its declared length goes back to what was really there.
        const bytes = real === undefined ? piece : piece.subarray(0, Math.max(0, real - written));
        if (bytes.length > 0) await file.write(bytes);
        written += bytes.length;
      }
    } finally {
      file.close();
    }
    this.#count(entry.path, written);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await this.world.files.makeFolder(folder, 0o700);
    this.#folders.add(folder);
  }

  #count(path: string, bytes: number): void {
    this.counts.bytes += bytes;
    if (path.endsWith("/vault.json")) this.counts.vaults++;
    else if (path.includes("/items/")) this.counts.items++;
    else if (path.includes("/files/")) this.counts.files++;
  }
}

/** The real length of files that were not as long as their item declared, by path. */
function incompleteFiles(contents: Contents): Map<string, number> {
  const incomplete = new Map<string, number>();
  for (const { vaultId, itemId, fileId, actual } of contents.gaps) {
    if (itemId === undefined || fileId === undefined || actual === undefined) continue;
    incomplete.set(layout.file(vaultId, itemId, fileId), actual.size);
  }
  return incomplete;
}
