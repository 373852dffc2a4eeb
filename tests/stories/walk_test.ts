import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { type Line, type Story, story } from "./harness.ts";
import { type MemoryAccount, memoryAccount, memoryItem, sourceError } from "./memory_source.ts";

const MIB = 1024 * 1024;

story(
  "a file of 64 MiB goes through in small pieces, at the pace of the disk",
  { memory: withLargeFile() },
  async (story) => {
    story.files.create = async (path, mode) => {
      const file = await denoFiles.create(path, mode);
      const write = async (bytes: Uint8Array) => {
        await file.write(bytes);
        if (path.includes("/spool/")) kept += bytes.length;
      };
      return { ...file, write };
    };
    await story.runs(0, "backup");
    assert.ok(kept > 64 * MIB);
    assert.ok(mostAhead < 16 * MIB, `${mostAhead} bytes were read before anybody took them`);
    await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    const hash = createHash("sha256").update(
      Deno.readFileSync(story.at("restored/x/vaults/v1/files/big/big")),
    );
    assert.equal(hash.digest("hex"), largeHash);
  },
);

story("an id that the source gives twice is a gap, and the first is kept", {
  memory: {
    vaults: [{ id: "v1", items: [memoryItem("v1", "a"), memoryItem("v1", "a"), memoryItem("v1", "A")] }],
  },
}, async (story) => {
  // On Windows and on many Macs "A" is "a" as well.
  const { shortfalls, counts } = await backs(story, 3);
  assert.deepEqual(shortfalls.map(({ reason, itemId }) => [reason, itemId]), [["unreadable-item", "a"], [
    "unreadable-item",
    "A",
  ]]);
  assert.equal(counts.items, 1);
  await story.runs(0, "verify", "--identity", story.key);
});

story("an item with the same file twice is a gap, and the first is kept", {
  memory: { vaults: [{ id: "v1", items: [memoryItem("v1", "a", [{ id: "f" }, { id: "f" }])] }] },
}, async (story) => {
  const { shortfalls, counts } = await backs(story, 3);
  assert.deepEqual(shortfalls.map(({ reason, fileId }) => [reason, fileId]), [["unreadable-file", "f"]]);
  assert.equal(counts.files, 1);
});

story("two vaults in a row that cannot be reached: the rest is given up, each by its id", {
  memory: {
    vaults: [
      { id: "v0", items: [memoryItem("v0", "a")] },
      ...["v1", "v2", "v3", "v4"].map((id) => ({ id, items: failing("transient") })),
    ],
  },
}, async (story) => {
  asked.length = 0;
  const { shortfalls, counts } = await backs(story, 3);
  assert.deepEqual(shortfalls.map(({ reason, vaultId }) => [reason, vaultId]), [
    ...["v1", "v2", "v3", "v4"].map((id) => ["unreadable-vault", id]),
  ]);
  assert.equal(asked.length, 2);
  assert.deepEqual([counts.vaults, counts.items], [5, 1]);
});

story("one vault that cannot be reached does not cost the next one", {
  memory: {
    vaults: ["v1", "v2", "v3", "v4", "v5"].map((id, at) => ({
      id,
      items: at % 2 === 0 ? failing("transient") : [memoryItem(id, "a")],
    })),
  },
}, async (story) => {
  const { shortfalls, counts } = await backs(story, 3);
  assert.deepEqual(shortfalls.map(({ vaultId }) => vaultId), ["v1", "v3", "v5"]);
  assert.equal(counts.items, 2);
});

story("when no vault can be reached nothing is published and it is worth another try", {
  memory: { vaults: ["v1", "v2", "v3"].map((id) => ({ id, items: failing("transient") })) },
}, async (story) => {
  assert.match((await story.runs(75, "backup")).err, /error: cannot reach 1Password/);
  assert.deepEqual(story.stored(), []);
});

story("a vault that breaks off keeps what it gave before", {
  memory: {
    vaults: [{
      id: "v1",
      async *items() {
        yield memoryItem("v1", "a");
        await Promise.resolve();
        throw sourceError("unknown", "the list broke off");
      },
    }],
  },
}, async (story) => {
  const { shortfalls, counts } = await backs(story, 3);
  assert.deepEqual(shortfalls.map(({ reason, vaultId }) => [reason, vaultId]), [["unreadable-vault", "v1"]]);
  assert.equal(counts.items, 1);
});

story("a source that throws what nobody translated ends the run without a trace", {
  memory: {
    vaults: [{
      id: "v1",
      // deno-lint-ignore require-yield -- it fails before
      async *items() {
        await Promise.resolve();
        throw new TypeError("x is not a function");
      },
    }],
  },
}, async (story) => {
  await story.runs(1, "backup");
  assert.deepEqual([story.stored(), story.spooled()], [[], []]);
});

story("a file that breaks off is a gap that says how far it came, and is restored so far", {
  memory: {
    ...memoryAccount(),
    open: () =>
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("body")),
        pull: (controller) => controller.error(sourceError("transient", "cannot reach 1Password: reset")),
      }, { highWaterMark: 0 }),
  },
}, async (story) => {
  const { shortfalls } = await backs(story, 3);
  for (const { reason, actual } of shortfalls) {
    assert.deepEqual([reason, actual.size], ["unreadable-file", 4]);
  }
  assert.equal(shortfalls.length, 2);
  await story.runs(3, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  assert.equal(Deno.readTextFileSync(story.at("restored/x/vaults/v1/files/a/f1.incomplete")), "body");
});

story("ids that are no plain words never become paths", {
  memory: {
    vaults: ["../../etc", "CON", "a/b", "", "x".repeat(65), "v\u0000", "ünï"].map((id) => ({
      id,
      items: ["..", "/etc/passwd", "aux", "é"].map((item) => memoryItem(id, item, [{ id: "../f" }])),
    })),
  },
}, async (story) => {
  const { counts } = await backs(story, 0);
  assert.deepEqual([counts.vaults, counts.items, counts.files], [7, 28, 28]);
  await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  const paths = Deno.readTextFileSync(story.at("restored/x/index.tsv")).trimEnd().split("\n").slice(1)
    .map((line) => line.split("\t")[5]!);
  assert.equal(paths.length, 56);
  for (const path of paths) {
    assert.match(
      path,
      /^vaults\/[0-9a-f]{64}\/(items\/[0-9a-f]{64}\.json|files\/[0-9a-f]{64}\/[0-9a-f]{64})$/,
    );
  }
  assert.deepEqual([...Deno.readDirSync(story.at("restored"))].map(({ name }) => name), ["x"]);
});

story("one item of 60 MB of text comes through, and is found by its title", {
  memory: {
    vaults: [{ id: "v1", items: [{ ...memoryItem("v1", "a"), notes: "long ".repeat(12_000_000) }] }],
  },
}, async (story) => {
  await story.runs(0, "backup");
  await story.runs(
    0,
    "restore",
    "--to",
    story.at("restored/x"),
    "--identity",
    story.key,
    "--item",
    "title of a",
  );
});

/** Ids of the vaults that were asked for their items in vain. */
const asked: string[] = [];

function failing(code: ConstructorParameters<typeof AppError>[0]) {
  // deno-lint-ignore require-yield -- it fails before
  return async function* (): AsyncGenerator<never> {
    asked.push("asked");
    await Promise.resolve();
    throw sourceError(code, "cannot reach 1Password: connection reset");
  };
}

/** Bytes that are in the spool, and how far the source was ahead of it at the most. */
let kept = 0;
let mostAhead = 0;
let largeHash = "";

function withLargeFile(): MemoryAccount {
  const size = 64 * MIB;
  return {
    vaults: [{ id: "v1", items: [memoryItem("v1", "big", [{ id: "big", size }])] }],
    open() {
      const hash = createHash("sha256");
      let sent = 0;
      return new ReadableStream({
        pull(controller) {
          const piece = crypto.getRandomValues(new Uint8Array(65_536));
          hash.update(piece);
          sent += piece.length;
          mostAhead = Math.max(mostAhead, sent - kept);
          controller.enqueue(piece);
          if (sent < size) return;
          largeHash = hash.digest("hex");
          controller.close();
        },
      }, { highWaterMark: 0 });
    },
  };
}

async function backs(story: Story, code: number): Promise<{ shortfalls: Line[]; counts: Line }> {
  const { lines } = await story.runs(code, "backup", "--json");
  return {
    shortfalls: lines.filter((line) => line.event === "shortfall"),
    counts: lines.find((line) => line.event === "sealed")!.counts,
  };
}
