/** Credentials that may only create: what is sent with them, who reads it back, and when the spool lets go. */
import assert from "node:assert/strict";
import { sha256Hex } from "../../src/base/hash.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import { Clouds } from "./clouds.ts";
import { type Line, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";
import { noisyAccount } from "./noise.ts";

const CREATE_ONLY = { access: "create-only" };
const only = () => ({ memory: memoryAccount(), destinations: [] as string[] });

story(
  "what is sent with credentials that may only create is sent, and the spool lets go",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addGoogle("WRITER", CREATE_ONLY);
    clouds.addAmazon("WRITER", CREATE_ONLY);
    const { err } = await story.runs(0, "backup");
    for (const name of ["google", "amazon"]) {
      assert.match(err, new RegExp(`${name}: sent, not read back: its credentials may only create\n`));
    }
    assert.deepEqual(story.spooled(), []);
    assert.equal(clouds.stored("google").length, 5);
    assert.deepEqual(clouds.stored("google"), clouds.stored("amazon"));
    const asked = new Set(clouds.s3.asked.map(({ operation }) => operation));
    assert.deepEqual([...asked], ["PutObject"], "a create and nothing else");
    assert.deepEqual(
      new Set(clouds.gcs.asked.map((one) => one.replace(/ .*/, ""))),
      new Set(["POST", "PUT"]),
    );
    // It is no receipt: nobody has seen it come back.
    assert.throws(() => Deno.statSync(`${story.state}/acme/receipts.json`), Deno.errors.NotFound);
    assert.deepEqual(sent(story), { google: [1], amazon: [1] });

    // The second finds the recipe there already, which is nobody's concern.
    story.clockOffset = 60_000;
    const second = await story.runs(0, "backup", "--json");
    const fates = second.summary.jobs[0].destinations.map((one: Line) => [one.destination, one.state]);
    assert.deepEqual(fates, [["google", "sent"], ["amazon", "sent"]]);
    const told = second.lines.filter(({ event }) => event === "destination");
    assert.deepEqual(told.map(({ state, readBack }) => [state, readBack]), [["sent", false], [
      "sent",
      false,
    ]]);
    assert.deepEqual(second.lines.filter(({ event }) => event === "warning"), []);
    const manifest = clouds.stored("google").filter((name) => name.endsWith(".manifest.json"))[1]!;
    assert.deepEqual(JSON.parse(new TextDecoder().decode(clouds.bytes("google", manifest))).receipts, {});

    // From here it cannot be looked at, and that is never an empty list.
    const list = await story.runs(1, "list");
    assert.match(
      list.err,
      /"amazon" cannot be listed: .*may only create.*\n.*hint: give it "read:" credentials/,
    );
    await story.runs(1, "verify");
  },
);

story(
  "elsewhere, where there are credentials for reading, such copies are listed, verified and restored",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    const google = clouds.addGoogle("WRITER", CREATE_ONLY), amazon = clouds.addAmazon("WRITER", CREATE_ONLY);
    await story.runs(0, "backup");
    const signer = (await story.runs(0, "keys", "signer")).out.trim();
    Deno.renameSync(story.state, story.at("safe/state"));
    story.config.signers = [signer];
    google.read = clouds.googleKey("READER");
    amazon.read = clouds.s3Key("READER");
    assert.match((await story.runs(0, "list")).out, /complete +google, amazon\n/);
    const { out } = await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
    assert.match(out, /2 copies checked, all good/);
    for (const from of ["google", "amazon"]) {
      const to = story.at(`restored/${from}`);
      await story.runs(0, "restore", "--from", from, "--to", to, "--identity", story.key);
    }
    // They may read and nothing else: what is asked of them with the others' is refused.
    assert.ok(
      clouds.s3.asked.some(({ member, operation }) => member === "READER" && operation === "GetObject"),
    );
    assert.ok(
      !clouds.s3.asked.some(({ member, operation }) => member === "READER" && operation === "PutObject"),
    );
  },
);

story(
  "where the backup host has credentials for reading, they read back, and those for writing only send",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addGoogle("WRITER", { ...CREATE_ONLY, read: clouds.googleKey("READER") });
    clouds.addAmazon("WRITER", { ...CREATE_ONLY, read: clouds.s3Key("READER") });
    const { err } = await story.runs(0, "backup");
    for (const name of ["google", "amazon"]) {
      assert.match(err, new RegExp(`${name}: sent and read back, every byte compared\n`));
    }
    assert.deepEqual(receipts(story), { google: [[1, 1]], amazon: [[1, 1]] });
    const did = (who: string) =>
      new Set(clouds.s3.asked.filter(({ member }) => member === who).map(({ operation }) => operation));
    assert.deepEqual(did("WRITER"), new Set(["PutObject"]));
    assert.ok(did("READER").has("GetObject") && !did("READER").has("PutObject"));
    await story.runs(0, "verify", "--identity", story.key);
  },
);

story(
  "credentials for reading that are refused: sent, and not taken for read back",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    const amazon = clouds.addAmazon("WRITER", { ...CREATE_ONLY, read: clouds.s3Key("READER") });
    await story.runs(0, "backup");
    amazon.read = { ...clouds.s3Key("READER"), accessKeyId: "NOBODY" };
    story.clockOffset = 60_000;
    const { err } = await story.runs(1, "backup");
    assert.match(err, /amazon: failed: destination "amazon": /);
    assert.equal(story.spooled().length, 1);
    const before = clouds.stored("amazon").length;
    // What had been sent was sent once; with the right ones the next run only reads it.
    amazon.read = clouds.s3Key("READER");
    story.clockOffset = 120_000;
    clouds.s3.operations();
    await story.runs(0, "backup");
    assert.equal(clouds.stored("amazon").length, before + 4);
    assert.deepEqual(receipts(story), { amazon: [[1, 3]] });
    assert.deepEqual(story.spooled(), []);
  },
);

story(
  "a copy that was cut off half-way is completed, without a look at what is there",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addAmazon("WRITER", CREATE_ONLY);
    await story.runs(0, "backup");
    const refused = new S3Refusal(403, "AccessDenied", "Access Denied");
    const strike = clouds.s3.faults.strike(
      "PutObject",
      { do: "refuse", with: refused },
      Infinity,
      ({ key }) => key.endsWith(".sig"),
    );
    story.clockOffset = 60_000;
    await story.runs(1, "backup");
    assert.equal(story.spooled().length, 1);
    const half = clouds.stored("amazon");
    await strike[Symbol.asyncDispose]();
    story.clockOffset = 120_000;
    const { err } = await story.runs(0, "backup");
    // The service says only that it is there; this is not passed over in silence.
    assert.match(
      err,
      /warning: "amazon" has acme\/\S+\.age from an earlier try, and it cannot be compared from here\n.*hint: its "read:"/,
    );
    assert.equal(clouds.stored("amazon").length, half.length + 1 + 4);
    assert.deepEqual(sent(story), { amazon: [1, 2, 3] });
    assert.deepEqual(story.spooled(), []);
  },
);

story("a lost or damaged note of what was sent keeps no backup from being made", only(), async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addAmazon("WRITER", CREATE_ONLY);
  await story.runs(0, "backup");
  Deno.writeTextFileSync(`${story.state}/acme/sent.json`, "{");
  story.clockOffset = 60_000;
  const { err } = await story.runs(0, "backup");
  assert.match(err, /warning: ".*\/sent\.json" is damaged: what was sent to destinations .* is sent again\n/);
  assert.deepEqual(sent(story), { amazon: [2] });
});

story("a number that was used once sends no archive unsent", only(), async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addAmazon("WRITER", CREATE_ONLY);
  await story.runs(0, "backup");
  await story.runs(0, "backup");
  // The newest entry is lost; nothing that this host may read tells of it.
  Deno.removeSync(`${story.state}/acme/chain/00000002.json`);
  const { err } = await story.runs(15, "backup");
  assert.match(err, /has lost its newest entries: what it delivered goes up to 2/);
  assert.equal(clouds.stored("amazon").filter((name) => name.endsWith(".age")).length, 3);
  assert.deepEqual(story.spooled(), []);
});

story("old archives go to a cloud that may only create, and come from one that may be read", {
  memory: memoryAccount(),
  destinations: ["nas"],
}, async (story) => {
  await using clouds = await Clouds.start(story);
  await story.runs(0, "backup");
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  clouds.addAmazon("WRITER", CREATE_ONLY);
  const blind = await story.runs(0, "backup", "--resend");
  assert.match(blind.err, /warning: "amazon" cannot be looked at: its credentials may only create/);
  assert.equal(blind.out.match(/ amazon +\S+ \S+ +nas +sent, not read back\n/g)?.length, 2, blind.out);
  assert.deepEqual(clouds.stored("amazon"), story.stored("nas"));
  assert.match((await story.runs(0, "backup", "--resend")).out, /^nothing is missing/);

  // And back, from a bucket that is read with credentials of its own, to a folder that was lost.
  for (const name of story.stored("nas")) Deno.removeSync(story.at(`nas/acme/${name}`));
  story.job.destinations[1].read = clouds.s3Key("READER");
  const { out } = await story.runs(0, "backup", "--resend");
  assert.equal(out.match(/ nas +\S+ \S+ +amazon +sent and read back\n/g)?.length, 2, out);
  for (const name of story.stored("nas")) {
    const found = Deno.readFileSync(story.at(`nas/acme/${name}`));
    assert.equal(sha256Hex(found), sha256Hex(clouds.bytes("amazon", name)));
  }
});

story("a large archive goes in one upload that needs no look either", {
  memory: noisyAccount(12 * 1024 * 1024),
  destinations: [],
}, async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addGoogle("WRITER", CREATE_ONLY);
  clouds.addAmazon("WRITER", CREATE_ONLY);
  await story.runs(0, "backup");
  assert.deepEqual(
    new Set(clouds.s3.asked.map(({ operation }) => operation)),
    new Set(["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"]),
  );
  const [archive] = clouds.stored("amazon").filter((name) => name.endsWith(".age"));
  assert.equal(sha256Hex(clouds.bytes("amazon", archive!)), sha256Hex(clouds.bytes("google", archive!)));
});

/** The numbers that are noted, by destination. */
function sent(story: Story): Record<string, number[]> {
  const noted: Line = JSON.parse(Deno.readTextFileSync(`${story.state}/acme/sent.json`));
  return Object.fromEntries(
    Object.entries(noted).map(([to, all]) => [to, Object.values(all as Record<string, number>).sort()]),
  );
}

function receipts(story: Story): unknown {
  return JSON.parse(Deno.readTextFileSync(`${story.state}/acme/receipts.json`));
}

story(
  "status shows what was sent as sent, and counts it where nobody can read it back",
  only(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addAmazon("WRITER", CREATE_ONLY);
    await story.runs(0, "backup");
    const asked = clouds.s3.asked.length;
    const { out } = await story.runs(0, "status", "--max-age", "26h");
    assert.match(out, /^amazon +\d{4}-\d\d-\d\d \S+ UTC +0 min +4 +2 +\S+ KiB +sent, not read back\n$/m);
    const { destinations: [amazon] } = (await story.runs(0, "status", "--json")).summary.jobs[0];
    assert.deepEqual([amazon.lastGood.readBack, amazon.lastGood.sequence], [false, 1]);
    assert.deepEqual([amazon.newestSent.sequence, amazon.newestReadBack, amazon.notReadBackSince], [
      1,
      undefined,
      undefined,
    ]);
    assert.equal(clouds.s3.asked.length, asked, "nobody is asked");
  },
);
