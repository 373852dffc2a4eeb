import type { NewFile, World } from "../../base/world.ts";
import type { Contents } from "../../archive/contents.ts";
import { layout } from "../../archive/layout.ts";
import type { TarEntry } from "../../archive/tar/unpack.ts";
import type { Chooser } from "./restore_choice.ts";

/** Files that are synced at once: one after the other, thousands of small ones would take minutes on a disk. */
const SYNCS = 32;

/**
 * Writes the chosen entries of a checked archive below one folder, which it makes and nothing else may have made.
 * `finish` makes all of it durable; disposing waits for what is still being synced.
 */
export class Extraction implements AsyncDisposable {
  readonly counts = { vaults: 0, items: 0, files: 0, bytes: 0 };
  readonly #folders = new Set<string>();
  readonly #syncing = new Set<Promise<void>>();
  #failed: { error: unknown } | undefined;
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
    await this.#makeFolder(parentOf(path));
    const file = await this.world.files.create(path, 0o600);
    let written = 0;
    try {
      for await (const piece of entry.body) {
        // What was padded to its declared length goes back to what was really there.
        const bytes = real === undefined ? piece : piece.subarray(0, Math.max(0, real - written));
        if (bytes.length > 0) await file.write(bytes);
        written += bytes.length;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    await this.#sync(file);
    this.#count(entry.path, written);
  }

  /** Returns when all files and folders are on the disk; throws what kept one from getting there. */
  async finish(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#throwIfFailed();
    const folders = new Set([this.root]);
    for (let folder of this.#folders) {
      for (; folder.length > this.root.length; folder = parentOf(folder)) folders.add(folder);
    }
    const rest = [...folders];
    while (rest.length > 0) {
      await Promise.all(rest.splice(0, SYNCS).map((folder) => this.world.files.syncFolder(folder)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#syncing);
  }

  /** Syncs and closes a file while the next ones are written. */
  async #sync(file: NewFile): Promise<void> {
    if (this.#syncing.size >= SYNCS) await Promise.race(this.#syncing);
    const syncing = file.sync()
      .catch((error) => void (this.#failed ??= { error }))
      .finally(() => {
        file.close();
        this.#syncing.delete(syncing);
      });
    this.#syncing.add(syncing);
    this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#failed) throw this.#failed.error;
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

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
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
