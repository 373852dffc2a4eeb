import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import type { ItemFile } from "../../src/model/item.ts";
import { type Line, type Story, story } from "./harness.ts";
import { type MemoryAccount, memoryItem, sourceError } from "./memory_source.ts";

const MIB = 1024 * 1024;

/** Twenty files of two items, and what was done with their bodies. */
class Cabinet implements MemoryAccount {
  readonly vaults;
  /** Ids of the files whose bodies were asked for, in order. */
  readonly asked: string[] = [];
  /** Bodies that were handed out and neither read to their end nor cancelled. */
  readonly opened = new Map<string, ItemFile>();
  most = 0;
  mostBytes = 0;
  readonly cancelled: string[] = [];
  /** Runs before a body is handed out. */
  before: (file: ItemFile) => void | Promise<void> = () => {};

  constructor(sizes: readonly number[]) {
    const files = sizes.map((size, at) => ({ id: `f${String(at).padStart(2, "0")}`, size }));
    const half = Math.ceil(files.length / 2);
    const items = [memoryItem("v", "a", files.slice(0, half)), memoryItem("v", "b", files.slice(half))];
    this.vaults = [{ id: "v", items }];
  }

  readonly open = async (_: unknown, file: ItemFile): Promise<ReadableStream<Uint8Array>> => {
    this.asked.push(file.id);
    this.opened.set(file.id, file);
    this.most = Math.max(this.most, this.opened.size);
    const bytes = [...this.opened.values()].reduce((sum, { size }) => sum + size, 0);
    this.mostBytes = Math.max(this.mostBytes, bytes);
    try {
      await this.before(file);
    } catch (error) {
      this.opened.delete(file.id);
      throw error;
    }
    return this.#body(file);
  };

  #body({ id, size }: ItemFile): ReadableStream<Uint8Array> {
    let left = size;
    return new ReadableStream({
      pull: (controller) => {
        if (left === 0) {
          this.opened.delete(id);
          return controller.close();
        }
        // Random, so that no compression keeps it from the disk.
        const piece = crypto.getRandomValues(new Uint8Array(Math.min(left, 65_536)));
        left -= piece.length;
        controller.enqueue(piece);
      },
      cancel: () => {
        this.opened.delete(id);
        this.cancelled.push(id);
      },
    }, { highWaterMark: 0 });
  }
}

/** A story about a cabinet of files; every body must be let go of in the end, however it ends. */
function files(name: string, sizes: number[], tell: (story: Story, cabinet: Cabinet) => Promise<void>): void {
  const cabinet = new Cabinet(sizes);
  story(name, { memory: cabinet }, async (story) => {
    await tell(story, cabinet);
    assert.deepEqual([...cabinet.opened.keys()], [], "a body was left open");
  });
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

files("files are opened ahead, four at the most, and written in their order", Array(20).fill(1000), async (
  story,
  cabinet,
) => {
  // The first of each four takes longest.
  cabinet.before = ({ id }) => pause(Number(id.slice(1)) % 4 === 0 ? 30 : 1);
  await story.runs(0, "backup");
  assert.equal(cabinet.most, 4);
  assert.deepEqual(cabinet.asked, cabinet.asked.toSorted());
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  const { entries } = JSON.parse(Deno.readTextFileSync(story.at("restored/all/manifest.json")));
  const written = entries.map(({ path }: Line) => path).filter((path: string) => path.includes("/files/"));
  assert.equal(written.length, 20);
  assert.deepEqual(written, written.toSorted());
});

files("files open at the same time hold no more than 2 MiB together", Array(8).fill(0.75 * MIB), async (
  story,
  cabinet,
) => {
  await story.runs(0, "backup");
  assert.equal(cabinet.mostBytes, 1.5 * MIB);
  assert.equal(cabinet.most, 2);
});

files("a large file is open alone", [1000, 1000, 9 * MIB, 1000, 1000, 5 * MIB], async (story, cabinet) => {
  const beside: number[] = [];
  cabinet.before = ({ size }) => {
    if (size > 2 * MIB) beside.push(cabinet.opened.size);
  };
  await story.runs(0, "backup");
  assert.deepEqual(beside, [1, 1]);
  assert.equal(cabinet.mostBytes, 9 * MIB);
});

files(
  "after a used-up quota no further file is asked for, and what was under way is kept",
  Array(12).fill(10),
  async (
    story,
    cabinet,
  ) => {
    cabinet.before = async ({ id }) => {
      if (id === "f01") throw sourceError("quota", "used up");
      await pause(10);
    };
    const { lines } = await story.runs(3, "backup", "--json");
    assert.deepEqual(cabinet.asked, ["f00", "f01", "f02", "f03"]);
    const gaps = lines.filter(({ event }) => event === "shortfall");
    assert.deepEqual(gaps.map(({ reason, fileId }) => [reason, fileId]), [
      ["quota", "f01"],
      ...["04", "05", "06", "07", "08", "09", "10", "11"].map((at) => ["quota", `f${at}`]),
    ]);
    assert.equal(lines.find(({ event }) => event === "sealed")!.counts.files, 3);
  },
);

files("a file that cannot be had costs itself only", Array(6).fill(10), async (story, cabinet) => {
  cabinet.before = ({ id }) => {
    if (id === "f01") throw sourceError("unknown", "it cannot be read");
    if (id === "f02") throw sourceError("not-found", "it is gone");
    if (id === "f03") throw sourceError("unsupported", "it is too large");
  };
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual(
    lines.filter(({ event }) => event === "shortfall").map(({ shortfall, reason, fileId }) => [
      shortfall,
      reason,
      fileId,
    ]),
    [
      ["gap", "unreadable-file", "f01"],
      ["moved", "deleted-meanwhile", "f02"],
      ["limit", "file-too-large", "f03"],
    ],
  );
});

files("a run that is stopped lets go of the files that were opened ahead", Array(8).fill(10), async (
  story,
  cabinet,
) => {
  cabinet.before = async ({ id }) => {
    if (id !== "f02") return;
    await pause(20);
    story.send("SIGTERM");
  };
  const { err } = await story.runs(143, "backup");
  assert.match(err, /stopped by SIGTERM/);
  assert.ok(cabinet.asked.length <= 6);
  assert.ok(cabinet.cancelled.length > 0, "one was open that nobody came to write");
  assert.deepEqual(story.spooled(), []);
});

files("a disk that is full lets go of the files that were opened ahead", Array(40).fill(MIB), async (
  story,
  cabinet,
) => {
  let failing = false;
  cabinet.before = () => void (failing = true);
  story.files = {
    create: async (path, mode) => {
      const file = await denoFiles.create(path, mode);
      if (!path.includes("/spool/")) return file;
      const write = (bytes: Uint8Array) => {
        if (failing) throw new Error("no space left on device");
        return file.write(bytes);
      };
      return { ...file, sync: () => file.sync(), close: () => file.close(), write };
    },
  };
  await story.runs(1, "backup");
  assert.ok(cabinet.cancelled.length > 0);
});
