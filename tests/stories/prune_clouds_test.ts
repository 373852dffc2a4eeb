/** Pruning where others keep the archives: locks, credentials that may not, a computer that only prunes. */
import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import { Clouds } from "./clouds.ts";
import { type Line, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";
import { backups, DAY, nights, prunings } from "./pruning.ts";

const KEEP = { keepLast: 3 };
const only = () => ({ memory: memoryAccount(), inMemory: true, destinations: [] as string[] });
const archives = (names: readonly string[]) => names.filter((name) => name.endsWith(".age"));
const records = (names: readonly string[]) => names.filter((name) => name.endsWith(".record.json"));

story("what is locked goes when its lock has ended, and is named in one record", only(), async (story) => {
  const objects = new Map<string, Uint8Array>(), can = { immutableUntil: true };
  story.addDestination(new MemoryDestination("vault", objects, {}, can), { immutableFor: "30d" });
  story.job.retention = KEEP;
  // The place has its own clock: what is stored in the first three nights is locked no more.
  story.clockOffset = -33 * DAY;
  assert.deepEqual(prunings(await nights(story, 4))[0]!.removed, 1);
  assert.deepEqual(prunings(await nights(story, 2))[0]!.removed, 1);
  const stored = () => [...objects.keys()];
  assert.deepEqual([archives(stored()).length, records(stored()).length], [3, 3]);
  // What comes after them is.
  for (const locked of [1, 2, 3]) {
    const { state, removed, kept, notYet } = prunings(await nights(story, 1))[0]!;
    assert.deepEqual([state, removed, kept, notYet], ["done", 0, 3, locked]);
  }
  assert.equal(archives(stored()).length, 6);
  assert.equal(records(stored()).length, 6, "each of them is named once");
  story.clockOffset += DAY;
  const { err } = await story.runs(0, "backup");
  assert.match(err, /vault: 0 old archives removed, 7 stay, 4 of them only as long as they are locked\n/);
  assert.match((await story.runs(0, "prune")).err, /4 of them only as long as they are locked\n/);
  assert.equal(records(stored()).length, 7);
  await story.runs(0, "verify", "--archive", "all");
});

story("a bucket that locks, as the service says it", only(), async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addAmazon("OWNER", { bucket: "locked", immutableFor: "30d" });
  story.job.retention = KEEP;
  const { notYet, removed } = prunings(await backups(story, 4))[0]!;
  assert.deepEqual([notYet, removed], [1, 0]);
  assert.equal(archives(clouds.stored("amazon", "locked")).length, 4);
  const { out } = await story.runs(0, "prune", "--dry-run");
  assert.match(out, /remove later +no rule keeps it: locked until 20\d\d-\d\d-\d\dT.*Z\n/);
  assert.match(out, /amazon: would remove 0 archives, and 1 when they are no longer locked\n/);
});

story(
  "credentials that may only create: blocked with a sentence, and nothing asked",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addAmazon("WRITER", { access: "create-only", read: clouds.s3Key("READER") });
    story.job.retention = KEEP;
    const ran = await backups(story, 4);
    assert.deepEqual(prunings(ran)[0]!.state, "blocked");
    const { err } = await story.runs(0, "prune");
    assert.match(
      err,
      /amazon: nothing is pruned: its credentials may only create\n.*amazon: hint: give it "prune:" credentials/,
    );
    const dry = await story.runs(0, "prune", "--dry-run");
    assert.match(dry.out, /amazon: would remove nothing: its credentials may only create\n/);
    assert.equal(archives(clouds.stored("amazon")).length, 4);
    assert.ok(!clouds.s3.operations().some((one) => /Delete/.test(one)));
  },
);

story(
  "a computer that only prunes: it knows the backup host's key, has credentials of its own, and asks once",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    const google = clouds.addGoogle("WRITER", { access: "create-only", read: clouds.googleKey("READER") });
    const amazon = clouds.addAmazon("WRITER", { access: "create-only", read: clouds.s3Key("READER") });
    await backups(story, 5);
    const [host, hostKey] = [story.state, (await story.runs(0, "keys", "signer")).out.trim()];
    const pruner = story.at("safe/pruner");
    Object.assign(story.config, { state: pruner, signers: [hostKey] });
    story.job.retention = KEEP;
    google.prune = clouds.googleKey("PRUNER");
    amazon.prune = clouds.s3Key("PRUNER");
    // It is new here: somebody has to say that the chains belong together.
    assert.match(
      (await story.runs(15, "prune")).err,
      /google: nothing is pruned: the destinations hold another chain/,
    );
    await story.runs(0, "keys", "trust");
    const prunerKey = (await story.runs(0, "keys", "signer")).out.trim();
    const ran = await story.runs(0, "prune", "--json");
    assert.deepEqual(ran.summary.jobs[0].pruned.map((one: Line) => [one.destination, one.removed.length]), [
      ["google", 2],
      ["amazon", 2],
    ]);
    assert.deepEqual(archives(clouds.stored("google")), archives(clouds.stored("amazon")));
    assert.equal(archives(clouds.stored("google")).length, 3);
    // The backup host hears of it and misses nothing, once it knows that key.
    Object.assign(story.config, { state: host, signers: [prunerKey] });
    delete story.job.retention;
    delete google.prune;
    delete amazon.prune;
    await backups(story, 2);
    await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
    // And goes on with it: nothing is asked any more.
    Object.assign(story.config, { state: pruner, signers: [hostKey] });
    story.job.retention = KEEP;
    google.prune = clouds.googleKey("PRUNER");
    amazon.prune = clouds.s3Key("PRUNER");
    const next = await story.runs(0, "prune", "--json");
    assert.deepEqual(next.summary.jobs[0].pruned.map((one: Line) => one.removed.length), [2, 2]);
    story.expected.damaged = true;
  },
);

story("a list that fails or is cut short: nothing goes there, exit 4; the next night makes up for it", {
  ...only(),
  destinations: ["nas"],
}, async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addAmazon();
  story.job.retention = KEEP;
  await backups(story, 3);
  for (const fault of ["refuse", "cut"] as const) {
    story.clockOffset += 10_000;
    const from = clouds.s3.asked.length;
    // The list before the backup is answered; the one before pruning is not.
    await using _ = clouds.s3.faults.strike(
      "ListObjectsV2",
      fault === "refuse"
        ? { do: "answer", status: 403, body: "<Error><Code>AccessDenied</Code></Error>" }
        : { do: "alter", alter: (answer) => ({ ...answer, ...withoutOne(answer) }) },
      Infinity,
      () => isReadBack(clouds.s3.asked.slice(from)),
    );
    const ran = await story.runs(4, "backup", "--json");
    const [nas, amazon] = prunings(ran);
    assert.deepEqual([nas!.removed, amazon!.state, amazon!.removed], [1, "failed", 0], fault);
    assert.match(
      ran.lines.map(({ message }) => message).join(),
      fault === "refuse" ? /denied|Denied|refuse/ : /short|list/,
    );
  }
  assert.equal(archives(clouds.stored("amazon")).length, 5);
  const ran = await backups(story, 1);
  assert.deepEqual(prunings(ran).map(({ removed }) => removed), [1, 3]);
});

/** Whether the signature, the last of four files, has come back. */
function isReadBack(asked: readonly { operation: string; key: string }[]): boolean {
  const sent = asked.findLastIndex(({ operation, key }) => operation === "PutObject" && key.endsWith(".sig"));
  return sent >= 0 &&
    asked.slice(sent).some(({ operation, key }) => operation === "GetObject" && key.endsWith(".sig"));
}

function withoutOne({ body }: { body?: string | Uint8Array | undefined }) {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  return { body: text.replace(/<Contents>.*?<\/Contents>/s, "") };
}

story("a list that leaves out what has just been stored: nothing goes", {
  ...only(),
  destinations: ["nas"],
}, async (story) => {
  let hidden: string | undefined;
  const objects = new Map<string, Uint8Array>();
  class Forgetful extends MemoryDestination {
    override async *list(prefix: string, signal: AbortSignal) {
      for await (const one of super.list(prefix, signal)) {
        if (hidden === undefined || !one.key.includes(hidden)) yield one;
      }
    }
  }
  story.addDestination(new Forgetful("cellar", objects));
  story.job.retention = KEEP;
  await nights(story, 3);
  hidden = new Date(Date.now() + story.clockOffset + DAY).toISOString().slice(0, 10).replaceAll("-", "");
  const ran = await nights(story, 1);
  const [nas, cellar] = prunings(ran);
  assert.deepEqual([nas!.removed, cellar!.state], [1, "blocked"]);
  assert.match(cellar!.message, /^"acme_\S+\.age" is not listed there$/);
  hidden = undefined;
  assert.deepEqual(prunings(await nights(story, 1)).map(({ removed }) => removed), [1, 2]);
});

story("a removal that fails in the middle: told, exit 4, and taken up the next night", {
  ...only(),
  destinations: ["nas"],
}, async (story) => {
  let left = Infinity;
  story.addDestination(
    new MemoryDestination("cellar", new Map(), {
      before: (operation) => {
        if (operation === "remove" && left-- <= 0) throw new AppError("unknown", "the wire was cut");
      },
    }),
  );
  await nights(story, 6);
  story.job.retention = KEEP;
  left = 3; // an archive, its checksum, and the next archive
  const ran = await nights(story, 1, 4);
  const [, cellar] = prunings(ran);
  assert.deepEqual([cellar!.state, cellar!.removed], ["failed", 2]);
  assert.match(cellar!.message, /the wire was cut/);
  left = Infinity;
  assert.deepEqual(prunings(await nights(story, 1)).map(({ removed }) => removed), [1, 3]);
  await story.runs(0, "verify", "--archive", "all");
});

story("credentials that may not remove although nothing is locked: told, exit 4", {
  ...only(),
  destinations: ["nas"],
}, async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addAmazon("OWNER", { prune: clouds.s3Key("READER") });
  story.job.retention = KEEP;
  await backups(story, 3);
  story.clockOffset += 10_000;
  const { err } = await story.runs(4, "backup");
  assert.match(err, /amazon: pruning failed after 0 archives: old archives cannot be removed: /);
  assert.equal(archives(clouds.stored("amazon")).length, 4);
});
