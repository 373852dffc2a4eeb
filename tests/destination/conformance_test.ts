/**
 * Every destination against the one suite.
 *
 * `CONFORMANCE_REQUIRED=local,azure-blob` names targets that must run: one that is unknown, or that cannot run
 * on this machine, is then a failure instead of a test that was quietly left out.
 */
import assert from "node:assert/strict";
import { local } from "../../plugins/destinations/local/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { type ConformanceHarness, destinationCases } from "../../src/destination/conformance.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";

/** A destination to try. */
interface Target {
  name: string;
  /** Why it cannot run here; undefined where it can. */
  unavailable?: string;
  start(): Promise<ConformanceHarness & AsyncDisposable>;
}

const targets: Target[] = [
  {
    name: "memory",
    start() {
      const objects = new Map<string, Uint8Array>();
      return Promise.resolve({
        prefix: "conformance/",
        open: () => Promise.resolve(new MemoryDestination("memory", objects)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  },
  {
    name: "local",
    async start() {
      const path = await Deno.makeTempDir({ prefix: "vaultferry-local-" });
      const context = {
        world: denoWorld(),
        secret: () => Promise.reject(new Error("a local folder has no secrets")),
        warn: (message: string) => assert.fail(message),
      };
      return {
        prefix: "conformance/",
        open: () => local.open("local", { path }, context, new AbortController().signal),
        [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
      };
    },
  },
];

const ran = new Set<string>();

for (const target of targets) {
  for (const { name, needs, run } of destinationCases) {
    Deno.test({
      name: `${target.name}: ${name}`,
      ignore: target.unavailable !== undefined,
      async fn() {
        await using harness = await target.start();
        await using destination = await harness.open();
        const lacks = needs.filter((need) => !destination.can[need]);
        assert.deepEqual(lacks, [], `${target.name} lacks ${lacks} and can never run this case`);
        await run(harness);
        ran.add(target.name);
      },
    });
  }
}

/** What `required` asks for and did not get. */
function unmet(required: string | undefined, known: string[], done: ReadonlySet<string>): string[] {
  const names = (required ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  return names.flatMap((name) => {
    if (!known.includes(name)) return [`"${name}" is no target of this suite: ${known}`];
    return done.has(name) ? [] : [`"${name}" was required and did not run`];
  });
}

Deno.test("CONFORMANCE_REQUIRED: every required target ran", () => {
  const known = targets.map(({ name }) => name);
  const why = targets.flatMap(({ name, unavailable }) => unavailable ? [`${name}: ${unavailable}`] : []);
  assert.deepEqual(unmet(Deno.env.get("CONFORMANCE_REQUIRED"), known, ran), [], why.join("; "));
});

Deno.test("CONFORMANCE_REQUIRED: unknown and left-out targets are failures", () => {
  assert.deepEqual(unmet(undefined, ["a"], new Set()), []);
  assert.deepEqual(unmet("a, b,", ["a", "b"], new Set(["a", "b"])), []);
  assert.deepEqual(unmet("a,b", ["a", "b"], new Set(["a"])), ['"b" was required and did not run']);
  assert.deepEqual(unmet("A", ["a"], new Set(["a"])), ['"A" is no target of this suite: a']);
});

Deno.test("the cases have names of their own, and only small ones are safe", () => {
  assert.equal(new Set(destinationCases.map(({ name }) => name)).size, destinationCases.length);
  assert.deepEqual(destinationCases.filter(({ safe, slow }) => safe && slow), []);
  assert.ok(destinationCases.filter(({ safe }) => safe).length >= 15);
});
