import assert from "node:assert/strict";
import { z } from "zod";
import { AppError } from "../../src/base/errors.ts";
import type { Registry } from "../../src/config/registry.ts";
import { destinationCases } from "../../src/destination/conformance.ts";
import type { Capabilities, Destination } from "../../src/destination/contract.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import { Clouds } from "./clouds.ts";
import { type Line, names, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const SAFE = destinationCases.filter(({ safe }) => safe).length;
const FOLDER = /^vaultferry-test-[0-9a-f]{16}\/$/;

/** Adds a destination `trial` in memory, which does something else than an honest one in some places. */
function given(
  story: Story,
  does: (honest: MemoryDestination, objects: Map<string, Uint8Array>) => Partial<Destination> = () => ({}),
  can: Partial<Capabilities> = {},
): Map<string, Uint8Array> {
  const objects = new Map<string, Uint8Array>();
  const open = (name: string) => {
    const honest = new MemoryDestination(name, objects, {}, can);
    const changes = does(honest, objects);
    return Promise.resolve(
      new Proxy<Destination>(honest, {
        get(target, called) {
          if (called in changes) return changes[called as keyof Destination];
          const value = Reflect.get(target, called);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
    );
  };
  const plugin = { type: "trial", summary: "for this test", config: z.strictObject({}), open };
  const { destinations } = story.registry;
  (story.registry as { destinations: Registry["destinations"] }).destinations = [
    ...destinations.filter(({ type }) => type !== "trial"),
    plugin,
  ];
  story.job.destinations = [story.job.destinations[0], { name: "trial", type: "trial" }];
  return objects;
}

function results(summary: Line): Record<string, number> {
  const cases: Line[] = summary.jobs[0].cases;
  const count = (result: string) => cases.filter((one) => one.result === result).length;
  return { passed: count("passed"), failed: count("failed"), "left-out": count("left-out") };
}

story("a good destination passes every safe case, and nothing is left at it", {
  memory: memoryAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  const before = story.stored();
  const { lines, summary } = await story.runs(0, "destination", "test", "nas", "--json");
  assert.deepEqual(results(summary), { passed: SAFE, failed: 0, "left-out": 0 });
  const [job] = summary.jobs;
  assert.match(job.folder, FOLDER);
  assert.deepEqual([job.job, job.destination, job.exitCode, job.left], ["acme", "nas", 0, []]);
  const told = lines.filter(({ event }) => event === "case");
  assert.deepEqual(
    told.map((one) => [one.case, one.result]),
    job.cases.map((one: Line) => [one.case, one.result]),
  );
  assert.deepEqual(story.stored(), before);
  assert.deepEqual(filesBelow(story.at("nas")), before.map((name) => `acme/${name}`));
  const named = await story.runs(0, "destination", "test", "acme", "nas");
  assert.match(named.out, /^case +result +time +reason\n/);
  assert.match(
    named.out,
    /^a second put of other bytes is refused and the first stands +passed +\d+\.\d s$/m,
  );
  assert.match(
    named.out,
    new RegExp(`\\n${SAFE} passed, 0 failed, 0 left out: "nas" keeps what it must\\n$`),
  );
});

story("a case that fails is named with its reason, and nothing is left", {
  memory: memoryAccount(),
}, async (story) => {
  const objects = given(story, (honest, objects) => ({
    put(key, body, signal) {
      objects.delete(key); // it replaces
      return honest.put(key, body, signal);
    },
  }));
  const { out } = await story.runs(1, "destination", "test", "trial");
  assert.match(
    out,
    /^a second put of other bytes is refused.* +FAILED +\S+ s +a put of other bytes was not refused$/m,
  );
  assert.match(out, /^0 bytes come back as they were +passed/m);
  assert.match(out, /"trial" must not be relied on as it is\n$/);
  const { summary } = await story.runs(1, "destination", "test", "trial", "--json");
  const failed = summary.jobs[0].cases.filter(({ result }: Line) => result === "failed");
  assert.ok(failed.some((one: Line) => /^a second put/.test(one.case) && /not refused/.test(one.reason)));
  assert.equal(objects.size, 0);
});

story("a destination that hangs fails its case, and the others go on", {
  memory: memoryAccount(),
}, async (story) => {
  const objects = given(story, (honest) => ({
    discard: (key, signal) => /\/stored$/.test(key) ? new Promise(() => {}) : honest.discard(key, signal),
  }));
  story.hurry = 100; // a case may take five minutes
  const { summary } = await story.runs(1, "destination", "test", "trial", "--json");
  const failed = summary.jobs[0].cases.filter(({ result }: Line) => result === "failed");
  assert.deepEqual(failed.map((one: Line) => [one.case, one.reason]), [
    ["discard never touches a stored key", "nothing moved for 300 seconds"],
  ]);
  assert.deepEqual(results(summary), { passed: SAFE - 1, failed: 1, "left-out": 0 });
  assert.equal(objects.size, 0);
});

story("what a destination cannot do is left out and said, and so is what stays", {
  memory: memoryAccount(),
}, async (story) => {
  const objects = given(story, () => ({}), { read: false, list: false, remove: false, createOnly: true });
  const { out, err } = await story.runs(0, "destination", "test", "trial");
  assert.match(out, /^what is created once is not created again over it +passed/m);
  assert.match(out, /^0 bytes come back as they were +left out +\S+ s +it cannot read$/m);
  assert.match(out, new RegExp(`\\n1 passed, 0 failed, ${SAFE - 1} left out: `));
  assert.equal(objects.size, 2);
  assert.match(
    err,
    /warning: "trial" still holds 2 files of this test: vaultferry-test-\S+\/first, .* may only create\)/,
  );
  assert.match(err, /hint: remove the folder vaultferry-test-\w+\/ there by other means/);
});

story("credentials for reading and for removing are tried with what they are for", {
  memory: memoryAccount(),
}, async (story) => {
  await using clouds = await Clouds.start(story);
  const given = { access: "create-only", read: clouds.s3Key("READER"), prune: clouds.s3Key("PRUNER") };
  const amazon = clouds.addAmazon("WRITER", given);
  const tried = async (code: number) => {
    const { summary } = await story.runs(code, "destination", "test", "amazon", "--json");
    const [job] = summary.jobs;
    const others: Line[] = job.cases.filter((one: Line) => /^the credentials under/.test(one.case));
    return {
      left: job.left,
      others: others.map((one) => [one.case, one.result]),
      reasons: others.map((one) => one.reason),
    };
  };
  const [reading, removing] = [
    "the credentials under read: list and give what was stored",
    "the credentials under prune: list and remove what was stored",
  ];
  assert.deepEqual(await tried(0), {
    left: [],
    others: [[reading, "passed"], [removing, "passed"]],
    reasons: [undefined, undefined],
  });
  assert.deepEqual(clouds.s3.buckets.get("plain")!.keys(""), []);

  amazon.prune = clouds.s3Key("READER");
  const cannotRemove = await tried(1);
  assert.deepEqual(cannotRemove.others, [[reading, "passed"], [removing, "failed"]]);
  assert.match(cannotRemove.reasons[1], /AccessDenied/);
  assert.equal(cannotRemove.left.length, 3);

  Object.assign(amazon, { read: clouds.s3Key("WRITER"), prune: clouds.s3Key("PRUNER") });
  const cannotRead = await tried(1);
  assert.deepEqual(cannotRead.others, [[reading, "failed"], [removing, "passed"]]);
  assert.match(cannotRead.reasons[0], /AccessDenied/);
  assert.deepEqual(cannotRead.left, []);
});

story("what is locked stays, is told, and is no failure", { memory: memoryAccount() }, async (story) => {
  const objects = given(story, () => ({
    remove: () =>
      Promise.reject(new AppError("denied", 'destination "trial": it is locked', { origin: "destination" })),
  }));
  const { summary, lines } = await story.runs(0, "destination", "test", "trial", "--json");
  const [job] = summary.jobs;
  assert.equal(job.keeps, 'destination "trial": it is locked');
  assert.equal(job.left.length, objects.size);
  assert.ok(objects.size > 1);
  const gone = job.cases.find((one: Line) => /^a removed key is gone/.test(one.case));
  assert.deepEqual([gone.result, gone.reason], ["left-out", job.keeps]);
  assert.equal(results(summary).failed, 0);
  const told = lines.find(({ event, code }) => event === "warning" && code === "left-behind");
  assert.match(told?.message, /still holds \d+ files of this test: .* and \d+ more \(/);
});

story(
  "what cannot be removed although it should is a failure",
  { memory: memoryAccount() },
  async (story) => {
    const objects = given(story, (honest) => ({
      remove: (key, signal) => /\/first$/.test(key) ? honest.remove(key, signal) : Promise.resolve(), // it only says so
    }));
    const { summary, err } = await story.runs(1, "destination", "test", "trial", "--json");
    assert.equal(summary.jobs[0].left.length, objects.size);
    assert.match(summary.jobs[0].left[0].reason, /still listed after it was removed/);
    assert.equal(err, "");
  },
);

story("a destination that cannot be used at all ends the test at once", {
  memory: memoryAccount(),
}, async (story) => {
  const denied = () =>
    Promise.reject(new AppError("denied", 'destination "trial": no', { origin: "destination" }));
  given(story, () => ({ put: denied, remove: denied, list: () => failing(), discard: denied }));
  const { err, out } = await story.runs(1, "destination", "test", "trial");
  assert.equal(out, "");
  assert.match(err, /vaultferry: error: destination "trial": no\n$/);
  Deno.removeSync(story.at("nas"));
  assert.match(
    (await story.runs(2, "destination", "test", "nas")).err,
    /error: .* does not exist\nvaultferry: hint: /,
  );
  async function* failing() {
    yield* [];
    await denied();
  }
});

story("stopped by a signal it removes what it has stored, and says how far it came", {
  memory: memoryAccount(),
}, async (story) => {
  let puts = 0;
  const objects = given(story, (honest) => ({
    async put(key, body, signal) {
      const stored = await honest.put(key, body, signal);
      if (++puts === 12) story.send("SIGINT");
      return stored;
    },
  }));
  const { summary } = await story.runs(130, "destination", "test", "trial", "--json");
  assert.ok(summary.jobs[0].cases.length > 0 && summary.jobs[0].cases.length < SAFE);
  assert.equal(results(summary).failed, 0);
  assert.equal(objects.size, 0);
  assert.ok(puts >= 12);
});

story(
  "mistakes in the command line are told with what there is",
  { memory: memoryAccount() },
  async (story) => {
    const unknown = await story.runs(2, "destination", "test", "usb");
    assert.match(unknown.err, /error: job "acme" has no destination "usb"\nvaultferry: hint: it has: nas\n/);
    assert.match(
      (await story.runs(2, "destination", "test", "acne", "nas")).err,
      /error: no job "acne" in the config/,
    );
    assert.match((await story.runs(2, "destination", "test")).err, /error: missing required argument/);
    assert.match((await story.runs(2, "destination", "tset", "nas")).err, /error: /);
    const { out } = await story.run("destination", "test", "--help");
    assert.match(out, /^Usage: vaultferry destination test \[options\] \[job\] <destination>\n/);
    assert.match(out, /removes what it stored there/);
  },
);

story("people see how far it is", { memory: memoryAccount() }, async (story) => {
  story.interactive = true;
  const { err } = await story.runs(0, "destination", "test", "nas");
  assert.match(err, /trying out \(nas\) {2}█* *░* *\d+\/\d+/);
});

function filesBelow(folder: string, below = ""): string[] {
  return names(folder + below).flatMap((name) =>
    Deno.statSync(`${folder}${below}/${name}`).isDirectory
      ? filesBelow(folder, `${below}/${name}`)
      : [`${below}/${name}`.slice(1)]
  );
}
