import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { generatedContent } from "../service/mod.ts";
import { LARGEST_FILE } from "../../plugins/sources/onepassword_sdk/limits.ts";
import { type Line, type Story, story } from "./harness.ts";
import { filesBelow } from "./secrets.ts";

const MIB = 1024 * 1024;
const SIZES = [0, 1, 14 * MIB, 16 * MIB, 40 * MIB, 47 * MIB];
const THREE = {
  name: "Files",
  vaults: [{
    title: "V",
    items: ["a", "b", "c"].map((title) => ({
      title,
      files: [{ name: `${title}-file.txt`, content: `the content of ${title}, in full` }],
    })),
  }],
};

story("files of 0 bytes, 1 byte, 14, 16, 40 and 47 MiB come through unchanged", {
  account: {
    name: "Sizes",
    vaults: [{
      title: "V",
      items: SIZES.map((size) => ({
        title: `${size} bytes`,
        category: "Document" as const,
        document: { name: `${size}.bin`, size, seed: `size ${size}` },
      })),
    }],
  },
}, async (story) => {
  await backs(story, 0);
  const to = story.at("restored/all");
  await story.runs(0, "restore", "--to", to, "--identity", story.key);
  const vault = story.service.account.vault("V");
  for (const size of SIZES) {
    const item = vault.item(`${size} bytes`);
    const bytes = Deno.readFileSync(
      `${to}/vaults/${vault.id}/files/${item.id}/${item.file(`${size}.bin`).id}`,
    );
    assert.ok(Buffer.from(bytes).equals(EXPECTED.get(size)!), `${size} bytes`);
  }
});

story(
  "a file that the SDK reads at the most comes through, one of a byte more is a limit that nobody asks for",
  {
    account: {
      name: "Limit",
      vaults: [{
        title: "V",
        items: [
          [LARGEST_FILE, "largest"],
          [LARGEST_FILE + 1, "one more"],
          [49 * MIB, "49 MiB"],
          [200_000_000, "huge"],
        ].map((
          [size, title],
        ) => ({
          title: String(title),
          category: "Document" as const,
          document: { name: `${title}.bin`, content: "in truth it is short", declaredSize: Number(size) },
        })),
      }],
    },
  },
  async (story) => {
    const vault = story.service.account.vault("V");
    const shortfalls = await backs(story, 3);
    const found = (title: string) => shortfalls.find(({ itemId }) => itemId === vault.item(title).id)!;
    // It was fetched: that it is short is known.
    assert.equal(found("largest").reason, "file-shorter");
    for (const title of ["one more", "49 MiB", "huge"]) {
      const { shortfall, reason, fileId } = found(title);
      assert.deepEqual([shortfall, reason, fileId], [
        "limit",
        "file-too-large",
        vault.item(title).file(`${title}.bin`).id,
      ]);
    }
    assert.equal(shortfalls.length, 4);
    assert.equal(story.service.requests.count("file/read"), 1);
    assert.equal(story.service.requests.count("item/get"), 1);
  },
);

for (
  const [what, size, reason] of [["shorter", 11, "file-shorter"], ["longer", 99, "file-longer"]] as const
) {
  story(
    `a file ${what} than its item says is a gap with its true length and hash`,
    { account: THREE },
    async (story) => {
      const vault = story.service.account.vault("V");
      const item = vault.item("b");
      item.serveFile("b-file.txt", size);
      const file = item.file("b-file.txt");
      const [gap, ...others] = await backs(story, 3);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [gap!.shortfall, gap!.reason, gap!.itemId, gap!.fileId, gap!.actual],
        ["gap", reason, item.id, file.id, {
          size,
          sha256: createHash("sha256").update(file.content()).digest("hex"),
        }],
      );
      const restored = await restores(story, "V", "b");
      const declared = file.declaredSize;
      // What was really there, as far as there is room for it: nothing that was padded, nothing beyond what was declared.
      assert.deepEqual(restored, {
        [`${file.id}.incomplete`]: file.content().subarray(0, Math.min(size, declared)),
      });
      assert.deepEqual(Object.keys(await restores(story, "V", "a")), [vault.item("a").file("a-file.txt").id]);
    },
  );
}

for (const status of [400, 403, 404, 500]) {
  story(
    `a file that answers ${status} is a gap, and the others are saved`,
    { account: THREE },
    async (story) => {
      const item = story.service.account.vault("V").item("b");
      const { id } = item.file("b-file.txt");
      story.service.faults.status("file/read", status, { id });
      const shortfalls = await backs(story, 3);
      assert.deepEqual(
        shortfalls.map((
          { shortfall, reason, itemId, fileId, actual },
        ) => [shortfall, reason, itemId, fileId, actual]),
        [["gap", "unreadable-file", item.id, id, undefined]],
      );
      assert.equal(
        (await story.runs(0, "verify", "--json", "--identity", story.key)).summary.jobs[0].copies[0].opened
          .files,
        2,
      );
      assert.deepEqual(await restores(story, "V", "b", "c"), await contents(story, "c"));
    },
  );
}

story("a file whose ciphertext is damaged is a gap", { account: THREE }, async (story) => {
  const item = story.service.account.vault("V").item("b");
  story.service.faults.status("file/read", 200, {
    id: item.file("b-file.txt").id,
    body: "these bytes are not the file",
  });
  const [gap, ...others] = await backs(story, 3);
  assert.deepEqual([gap!.reason, gap!.itemId, others], ["unreadable-file", item.id, []]);
});

for (const change of ["delete", "archive"] as const) {
  story(
    `the file of an item that people ${change} meanwhile has moved`,
    { account: THREE },
    async (story) => {
      const item = story.service.account.vault("V").item("b");
      const fileId = item.file("b-file.txt").id;
      const once = story.service.onRequest("item/get", ({ itemId }) => {
        if (itemId !== item.id) return;
        once();
        item[change]();
      });
      const shortfalls = await backs(story, 0);
      assert.deepEqual(
        shortfalls.map(({ shortfall, reason, itemId, fileId }) => [shortfall, reason, itemId, fileId]),
        [
          ["moved", "deleted-meanwhile", item.id, fileId],
        ],
      );
      // The item itself was read before.
      assert.deepEqual(await restores(story, "V", "b", "a"), await contents(story, "a"));
    },
  );
}

/** Ways in which a second list says nothing of an item, though it is still there. */
const BAD_LISTS: Record<string, (story: Story, itemId: string) => void> = {
  "a short list": (story, itemId) => {
    story.service.faults.shortList({ leaveOut: [itemId], after: 1 });
  },
  "a list that is refused": (story) => void story.service.faults.status("items/overviews", 403, { after: 1 }),
  "a list that is not found": (story) =>
    void story.service.faults.status("items/overviews", 404, { after: 1 }),
};

for (const [what, strike] of Object.entries(BAD_LISTS)) {
  story(
    `a file that is not found is a gap, and not one that has moved, after ${what}`,
    { account: THREE },
    async (story) => {
      const item = story.service.account.vault("V").item("b");
      const { id } = item.file("b-file.txt");
      story.service.faults.status("file/read", 404, { id });
      strike(story, item.id);
      const shortfalls = await backs(story, 3);
      assert.deepEqual(
        shortfalls.map(({ shortfall, reason, fileId }) => [shortfall, reason, fileId]),
        [["gap", "unreadable-file", id]],
      );
    },
  );
}

story(
  "a vault removed while its files are read costs the files that were not read yet, which have moved",
  { account: THREE },
  async (story) => {
    const vault = story.service.account.vault("V");
    const ids = vault.items.map(({ id }) => id);
    const once = story.service.onRequest("item/get", ({ itemId }) => {
      if (itemId !== ids[1]) return;
      once();
      story.service.account.removeVault("V");
    });
    const shortfalls = await backs(story, 0);
    // The files are asked for at the same time, so the others' may have been read before.
    assert.ok(shortfalls.some(({ itemId }) => itemId === ids[1]));
    for (const { shortfall, reason } of shortfalls) {
      assert.deepEqual([shortfall, reason], ["moved", "deleted-meanwhile"]);
    }
    const { files } = (await story.runs(0, "verify", "--json", "--identity", story.key)).summary.jobs[0]
      .copies[0].opened;
    assert.equal(files + shortfalls.length, 3);
  },
);

story(
  "a file that hangs is a gap, and costs no more than its deadline",
  { account: THREE },
  async (story) => {
    story.job.source.timeout = 1;
    const item = story.service.account.vault("V").item("b");
    story.service.faults.hang("file/read", { id: item.file("b-file.txt").id });
    const start = performance.now();
    const [gap, ...others] = await backs(story, 3);
    assert.ok(performance.now() - start < 20_000);
    assert.deepEqual([gap!.reason, gap!.itemId, others], ["unreadable-file", item.id, []]);
    assert.match(gap!.detail, /no answer within 1 s/);
  },
);

async function backs(story: Story, code: number): Promise<Line[]> {
  const { lines } = await story.runs(code, "backup", "--json");
  return lines.filter((line) => line.event === "shortfall");
}

/** The restored files of some items, by name. */
async function restores(
  story: Story,
  vaultTitle: string,
  ...titles: string[]
): Promise<Record<string, Uint8Array>> {
  const to = story.at(`restored/${crypto.randomUUID()}`);
  const vault = story.service.account.vault(vaultTitle);
  const ran = await story.run(
    "restore",
    "--to",
    to,
    "--identity",
    story.key,
    ...titles.flatMap((title) => ["--item", title]),
  );
  assert.ok([0, 3].includes(ran.code), ran.err);
  const files: Record<string, Uint8Array> = {};
  for (const path of filesBelow(`${to}/vaults/${vault.id}/files`)) {
    files[path.slice(path.lastIndexOf("/") + 1)] = Deno.readFileSync(path);
  }
  return files;
}

function contents(story: Story, title: string): Record<string, Uint8Array> {
  const file = story.service.account.vault("V").item(title).file(`${title}-file.txt`);
  return { [file.id]: file.content() };
}

const EXPECTED = new Map(SIZES.map((size) => [size, generatedContent(`size ${size}`, size)]));
