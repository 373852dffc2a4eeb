import assert from "node:assert/strict";
import { checkArchive, visitEntries } from "../../src/archive/read.ts";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { Scratch } from "../base/scratch.ts";
import { archiveOf, bytesOf, collect, owner, piecesOf, sealedOf, SMALL, stranger } from "./bench.ts";

/** One age chunk, and several of them. */
const ARCHIVES = {
  "a small archive": await archiveOf(SMALL),
  "an archive of several chunks": await archiveOf([...SMALL, ["vaults/v1/files/i1/f2", bytesOf(200_000)]]),
};

/** The length of the age header: what stands before the payload's nonce. */
function headerOf(archive: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(archive.subarray(0, 1000));
  return text.indexOf("\n", text.indexOf("\n--- ") + 1) + 1;
}

/** Every position below 250 (the whole header) and 40 spread over the rest. */
function positions(archive: Uint8Array): number[] {
  const header = headerOf(archive);
  const rest = Array.from({ length: 40 }, (_, n) => header + Math.floor(n * (archive.length - header) / 40));
  const chunks = [1, 2, 3].map((n) => header + 16 + n * 65_552);
  return [
    ...Array.from({ length: header }, (_, at) => at),
    ...rest,
    ...chunks.flatMap((at) => [at - 1, at, at + 1]),
    archive.length - 1,
  ].filter((at) => at < archive.length);
}

async function codeOf(archive: Uint8Array): Promise<ErrorCode | "success"> {
  try {
    await checkArchive(sealedOf(archive));
    return "success";
  } catch (error) {
    assert.ok(error instanceof AppError, Deno.inspect(error));
    return error.code;
  }
}

for (const [what, archive] of Object.entries(ARCHIVES)) {
  Deno.test(`${what}: any byte changed behind the header is corrupt, in the header never a success`, async () => {
    const header = headerOf(archive);
    assert.ok(header > 100 && header < 300, `a header of ${header} bytes`);
    for (const at of positions(archive)) {
      for (const bit of at < header ? [0x01, 0x20, 0x80] : [0x01]) {
        const changed = Uint8Array.from(archive);
        changed[at]! ^= bit;
        const code = await codeOf(changed);
        // In a recipient's stanza damage cannot be told from a stanza for somebody else.
        if (at < header) {
          assert.ok(code === "corrupt" || code === "wrong-identity", `header byte ${at}: ${code}`);
        } else assert.equal(code, "corrupt", `byte ${at} of ${archive.length}`);
      }
    }
  });

  Deno.test(`${what}: cut at any length it is corrupt`, async () => {
    for (const length of positions(archive)) {
      assert.equal(
        await codeOf(archive.subarray(0, length)),
        "corrupt",
        `${length} of ${archive.length} bytes`,
      );
    }
  });

  Deno.test(`${what}: bytes added at its end are corrupt`, async () => {
    for (const more of [1, 15, 16, 17, 65_552]) {
      const longer = new Uint8Array(archive.length + more);
      longer.set(archive);
      assert.equal(await codeOf(longer), "corrupt", `${more} bytes more`);
    }
  });
}

Deno.test("a key that is not among the recipients is told as such, and its text is nowhere", async () => {
  const [archive] = Object.values(ARCHIVES);
  const secret = stranger.secret.reveal();
  const error = await failure(checkArchive(sealedOf(archive!, { identities: [secret] })), "wrong-identity");
  assert.ok(!Deno.inspect(error).includes(secret));
  await failure(checkArchive(sealedOf(archive!, { identities: [] })), "wrong-identity");
});

Deno.test("one fitting key among others is enough", async () => {
  const identities = [stranger, owner].map(({ secret }) => secret.reveal());
  for (const archive of Object.values(ARCHIVES)) {
    const { entries } = await checkArchive(sealedOf(archive, { identities }));
    assert.ok(entries.size >= SMALL.length);
  }
});

Deno.test("whatever goes wrong, the ciphertext is let go of before the error comes out", async () => {
  // Larger than all that the stages between may have taken in advance.
  const whole = await archiveOf([...SMALL, ["vaults/v1/files/i1/big", bytesOf(8_000_000)]]);
  const middle = Uint8Array.from(whole);
  middle[70_000]! ^= 1;
  const cases: [Uint8Array, string][] = [
    [whole, stranger.secret.reveal()],
    [middle, owner.secret.reveal()],
    [bytesOf(8_000_000), owner.secret.reveal()],
  ];
  for (const [bytes, identity] of cases) {
    let cancelled = false;
    const open = () => Promise.resolve(piecesOf(bytes, 10_000, () => cancelled = true));
    await assert.rejects(checkArchive(sealedOf(whole, { open, identities: [identity] })), AppError);
    assert.ok(cancelled);
  }
});

Deno.test("a reader who leaves in the middle has closed the file", async () => {
  await using scratch = await Scratch.make();
  const whole = await archiveOf([...SMALL, ["vaults/v1/files/i1/big", bytesOf(8_000_000)]]);
  const checked = await checkArchive(sealedOf(whole));
  const path = await scratch.write("archive.age", whole);
  let cancelled = false;
  const open = async () => {
    const { readable } = await Deno.open(path); // the sanitizer sees a file left open
    const reader = readable.getReader();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => (cancelled = true, reader.cancel(reason)),
    }, { highWaterMark: 0 });
  };
  const stop = new Error("the disk is full");
  await assert.rejects(
    visitEntries(sealedOf(whole, { open }), checked, () => Promise.reject(stop)),
    (error) => error === stop,
  );
  assert.ok(cancelled);
});

Deno.test("an archive that changes between the check and the reading is noticed before the entry ends", async () => {
  const checked = await checkArchive(sealedOf(ARCHIVES["a small archive"]));
  const swapped = await archiveOf(
    SMALL.map(([path, body]) => [path, path.includes("/files/") ? bytesOf(3000, 9) : body]),
  );
  const read: string[] = [];
  const error = await failure(
    visitEntries(sealedOf(swapped), checked, async ({ path, body }) => {
      await collect(body, Infinity, path);
      read.push(path);
    }),
    "corrupt",
    /changed while it was read, at "vaults\/v1\/files\/i1\/f1"/,
  );
  assert.equal(error.code, "corrupt");
  assert.deepEqual(read, SMALL.slice(0, 3).map(([path]) => path));
  const more = await archiveOf([...SMALL, ["vaults/v1/items/new.json", "{}"]]);
  await failure(
    visitEntries(sealedOf(more), checked, ({ body }) => body.cancel()),
    "corrupt",
    /changed while it was read/,
  );
});

Deno.test("an error of the ciphertext's own stream (a disk that fails) comes out as it is", async () => {
  const own = new AppError("transient", "cannot read: input/output error");
  const whole = ARCHIVES["an archive of several chunks"];
  let given = 0;
  const open = () =>
    Promise.resolve(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (given > 100_000) return controller.error(own);
          controller.enqueue(whole.slice(given, given += 10_000));
        },
      }, { highWaterMark: 0 }),
    );
  assert.equal(await failure(checkArchive(sealedOf(whole, { open })), "transient"), own);
});
