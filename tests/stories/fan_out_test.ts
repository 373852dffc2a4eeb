/** One archive goes to several kinds of destinations at once, and each has a fate of its own. */
import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import { heldBytes } from "../base/held_memory.ts";
import { Refusal } from "../servers/gcs/answers.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import { Clouds } from "./clouds.ts";
import { type Line, names, type Ran, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";
import { noisyAccount } from "./noise.ts";

const MIB = 1024 * 1024;

const some = () => ({ memory: memoryAccount(), destinations: ["nas"] });

story("a folder and two clouds have the same copy, each read back", some(), async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addGoogle();
  clouds.addAmazon();
  const { summary, lines } = await story.runs(0, "backup", "--json");
  assert.deepEqual(fates({ summary }), { nas: "read-back", google: "read-back", amazon: "read-back" });
  const names = story.stored("nas");
  assert.equal(names.length, 5);
  for (const cloud of ["google", "amazon"] as const) {
    assert.deepEqual(clouds.stored(cloud), names);
    for (const name of names) {
      assert.equal(
        sha256Hex(clouds.bytes(cloud, name)),
        sha256Hex(Deno.readFileSync(story.at(`nas/acme/${name}`))),
      );
    }
  }
  for (const name of ["nas", "google", "amazon"]) {
    const states = lines.filter((line) => line.event === "destination" && line.destination === name);
    assert.deepEqual(states.map(({ state, readBack }) => [state, readBack]), [["sent", true], [
      "read-back",
      undefined,
    ]]);
  }
});

story("one hangs, one refuses, one is full, one is slow: the slow one has its copy, and each says why", {
  memory: memoryAccount(),
  destinations: ["nas", "full"],
}, async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addGoogle("OWNER", { timeout: "1s" });
  clouds.addAmazon();
  // Never an answer; its own watchdog ends it, try after try.
  clouds.gcs.instead = (_, { pathname }) =>
    pathname.startsWith("/upload/") ? new Promise<undefined>((resolve) => hanging.push(resolve)) : undefined;
  const hanging: ((value: undefined) => void)[] = [];
  const refused = new S3Refusal(403, "AccessDenied", "Access Denied");
  await using _ = clouds.s3.faults.strike("PutObject", { do: "refuse", with: refused });
  story.files.create = async (path, mode) => {
    const file = await denoFiles.create(path, mode);
    if (path.startsWith(story.at("full/"))) {
      return { ...file, write: () => Promise.reject(Object.assign(new Error("no space left on device"))) };
    }
    if (!path.startsWith(story.at("nas/"))) return file;
    const write = async (bytes: Uint8Array) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await file.write(bytes);
    };
    return { ...file, write };
  };
  const { summary, err } = await story.runs(4, "backup", "--json");
  for (const resolve of hanging) resolve(undefined);
  assert.deepEqual(fates({ summary }), {
    nas: "read-back",
    full: "failed",
    google: "failed",
    amazon: "failed",
  });
  const why = Object.fromEntries(
    summary.jobs[0].destinations.map((one: Line) => [one.destination, `${one.code}: ${one.message}`]),
  );
  assert.match(
    why.google,
    /^transient: destination "google": .*(nothing moved for 1 seconds|no answer)/,
    err,
  );
  assert.match(why.amazon, /^denied: destination "amazon": .*AccessDenied/);
  assert.match(why.full, /^unknown: destination "full": .*no space left/);
  assert.deepEqual([clouds.stored("google"), clouds.stored("amazon"), story.stored("full")], [[], [], []]);
  assert.equal(story.spooled().length, 1);

  // All is well again: the next run completes what is missing, and the spool lets go.
  clouds.gcs.instead = () => {};
  await _[Symbol.asyncDispose]();
  story.files = {};
  story.clockOffset = 60_000;
  assert.deepEqual(fates(await story.runs(0, "backup", "--json")), {
    ...{ nas: "read-back", full: "read-back", google: "read-back", amazon: "read-back" },
  });
  for (const names of [clouds.stored("google"), clouds.stored("amazon"), story.stored("full")]) {
    assert.deepEqual(names, story.stored("nas"));
  }
});

story("when all fail the run has failed, and the archive waits", some(), async (story) => {
  await using clouds = await Clouds.start(story);
  story.job.destinations = [];
  story.destinations.length = 0;
  clouds.addGoogle();
  clouds.addAmazon();
  await story.runs(0, "backup");
  const full = new S3Refusal(507, "InsufficientStorage", "The quota of the bucket is used up");
  await using _ = clouds.s3.faults.strike("PutObject", { do: "refuse", with: full });
  clouds.gcs.instead = (_, { pathname }) =>
    pathname.startsWith("/upload/")
      ? new Refusal(403, "quotaExceeded", "The quota has been exceeded")
      : undefined;
  story.clockOffset = 60_000;
  // A destination without room is not 1Password's quota (14).
  const { summary } = await story.runs(1, "backup", "--json");
  assert.deepEqual(summary.jobs[0].destinations.map((one: Line) => one.code), ["quota", "quota"]);
  assert.equal(story.spooled().length, 1);
  // Another night: two archives fail for one reason, which is told once.
  story.clockOffset = 120_000;
  const { err } = await story.runs(1, "backup");
  assert.deepEqual(err.match(/amazon: failed: .*/g)?.length, 1, err);
  assert.match(err, /\nvaultferry: amazon: failed for the same reason: 1 more that waited for it\n/);
  story.expected.spooled = 2;
  story.expected.unfinished = 4;
});

story(
  "what hangs in the operating system is given up as the last resort, and stops no other",
  some(),
  async (story) => {
    let caught = () => {};
    const hangs = new Promise<void>((resolve) => caught = resolve);
    const stuck = new MemoryDestination("stuck", new Map(), {
      before: (operation) => {
        if (operation !== "put") return;
        caught();
        return new Promise(() => {}); // heeds no signal
      },
    });
    story.addDestination(stuck);
    const running = story.run("backup", "--json");
    await hangs;
    while (!names(`${story.state}/acme`).includes("receipts.json")) await pause(); // the other one is done
    story.passed = 31 * 60_000;
    const { code, summary } = await running;
    assert.equal(code, 4);
    assert.deepEqual(fates({ summary }), { nas: "read-back", stuck: "failed" });
    const [, { message }] = summary.jobs[0].destinations;
    assert.match(message, /nothing moved for 600 seconds/);
    story.expected.spooled = 1;
    story.expected.unfinished = 1;
  },
);

story("a share that hangs when it is looked at keeps no backup from the others", some(), async (story) => {
  await story.runs(0, "backup");
  let caught = Promise.withResolvers<void>();
  const stuck = new MemoryDestination("stuck", new Map(), {
    before: (operation) => {
      if (operation !== "list") return;
      caught.resolve();
      return new Promise(() => {}); // heeds no signal
    },
  });
  story.addDestination(stuck);
  const running = story.run("backup", "--json");
  await caught.promise;
  story.passed = 11 * 60_000;
  const { code, summary } = await running;
  assert.deepEqual([code, fates({ summary })], [0, { nas: "read-back", stuck: "read-back" }]);
  // What hangs is never "nothing there".
  caught = Promise.withResolvers<void>();
  const listing = story.run("list", "--from", "stuck");
  await caught.promise;
  story.passed += 11 * 60_000;
  const { code: listed, err } = await listing;
  assert.equal(listed, 1);
  assert.match(err, /"stuck" cannot be listed: .*nothing moved for 600 seconds/);
});

story("each destination tells how far it is, in a line for people and as objects for programs", {
  memory: noisyAccount(3 * MIB),
  destinations: ["nas", "usb"],
}, async (story) => {
  const { lines } = await story.runs(0, "backup", "--json");
  for (const destination of ["nas", "usb"]) {
    const told = lines.filter((line) => line.event === "progress" && line.destination === destination);
    assert.ok(told.length > 0, destination);
    for (const { phase, bytes, totalBytes } of told) {
      assert.ok(["send", "read-back"].includes(phase));
      assert.ok(totalBytes > 3 * MIB && bytes > 0 && bytes <= totalBytes, `${bytes} of ${totalBytes}`);
    }
  }
  story.interactive = true;
  story.clockOffset = 60_000;
  const { err } = await story.runs(0, "backup");
  assert.match(err, /nas: (sending|reading back)( \d+%)? {3}usb: (sending|reading back)/);
  for (const doing of ["sending", "reading back"]) assert.match(err, new RegExp(`: ${doing} 100%`));
});

story("memory does not grow with the number of destinations or the size of the archive", {
  memory: noisyAccount(96 * MIB),
  destinations: ["nas"],
}, async (story) => {
  // Five that take what they are sent at very different paces: nobody keeps for the slow what the fast have taken.
  let most = 0;
  const taken: number[] = [];
  for (let at = 0; at < 5; at++) {
    taken.push(0);
    story.addDestination(
      new Sink(`sink${at}`, async (bytes) => {
        taken[at]! += bytes;
        if (taken[at]! % (8 * MIB) >= bytes) return;
        most = Math.max(most, heldBytes());
        await new Promise((resolve) => setTimeout(resolve, at * 10));
      }),
    );
  }
  const before = heldBytes();
  const { summary } = await story.runs(4, "backup", "--json");
  assert.equal(fates({ summary }).nas, "read-back");
  assert.ok(taken.every((bytes) => bytes > 96 * MIB), String(taken));
  assert.ok(most - before < 32 * MIB, `${Math.round((most - before) / MIB)} MiB were held`);
  story.expected.spooled = 1;
  story.expected.unfinished = 5;
});

/** Takes all that it is sent, keeps nothing, and says so. */
class Sink extends MemoryDestination {
  constructor(name: string, readonly take: (bytes: number) => Promise<void>) {
    super(name);
  }

  override async put(...[, body]: Parameters<MemoryDestination["put"]>): Promise<never> {
    for await (const bytes of body.open()) await this.take(bytes.length);
    throw new Error("kept nothing");
  }
}

function fates({ summary }: Pick<Ran, "summary">): Record<string, string> {
  return Object.fromEntries(summary.jobs[0].destinations.map((one: Line) => [one.destination, one.state]));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
