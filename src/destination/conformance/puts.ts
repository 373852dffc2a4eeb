import { sha256Hex } from "../../base/hash.ts";
import type { Resendable } from "../contract.ts";
import { type Bench, bodyOf, check, given, sample, within } from "./bench.ts";
import { never } from "./clock.ts";
import type { DestinationCase } from "./harness.ts";

const KIB = 1024, MIB = 1024 * KIB;

/** What `put` stores, and when it refuses. */
export const puts: readonly DestinationCase[] = [
  ...[0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1].map((size) => sizeCase(size, false)),
  ...[MIB - 1, MIB, MIB + 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1].map((size) => sizeCase(size, true)),

  given(
    "bodies around the length of its own blocks come back as they were",
    ["block", "read", "list"],
    async (bench) => {
      const block = bench.harness.block!;
      for (const size of [block - 1, block, block + 1, 2 * block, 2 * block + 1]) {
        const key = `${bench.folder}${size}.bin`, bytes = sample(size);
        await bench.destination.put(key, bodyOf(bytes), never);
        await bench.holds(key, bytes);
        await bench.destination.remove(key, never);
      }
    },
    { slow: true },
  ),

  given("a second put of other bytes is refused and the first stands", ["read", "list"], async (bench) => {
    const { destination, folder } = bench;
    const key = `${folder}kept`, first = sample(70_000, 1);
    await destination.put(key, bodyOf(first), never);
    for (const other of [sample(70_000, 2), sample(70_001, 1), sample(69_999, 1), sample(0)]) {
      await bench.refused(
        destination.put(key, bodyOf(other), never),
        ["already-exists"],
        "a put of other bytes",
      );
      await bench.holds(key, first);
    }
    await bench.holdsOnly([key]);
  }),

  given("what is created once is not created again over it", [], async (bench) => {
    // All that credentials can do which may only create: this needs nothing else.
    const key = `${bench.folder}created`, bytes = sample(1000, 1);
    const stored = await bench.destination.put(key, bodyOf(bytes), never);
    check(stored.key === key && stored.size === bytes.length, "put tells another key or size");
    await bench.refused(
      bench.destination.put(key, bodyOf(sample(1000, 2)), never),
      ["already-exists"],
      "a put of other bytes",
    );
  }),

  given("the same bytes again are a success", ["read", "list"], async (bench) => {
    const key = `${bench.folder}twice`, bytes = sample(70_000);
    await bench.destination.put(key, bodyOf(bytes), never);
    const again = await bench.destination.put(key, bodyOf(bytes), never);
    check(again.key === key && again.size === bytes.length, "the second put tells another key or size");
    await bench.holds(key, bytes);
    await bench.holdsOnly([key]);
  }),

  given("of two puts of one key at once at most one stands, and whole", ["read", "list"], async (bench) => {
    const key = `${bench.folder}race`, bodies = [sample(300_000, 1), sample(300_000, 2)];
    const results = await Promise.allSettled(
      bodies.map((bytes) => bench.destination.put(key, bodyOf(bytes), never)),
    );
    await judgeRace(bench, key, bodies, results);
  }),

  given(
    "a put that is overtaken by another of its key publishes nothing of either",
    ["read", "list"],
    async (bench) => {
      for (const [at, sent] of [0, 100 * KIB, 300_000].entries()) {
        const key = `${bench.folder}overtaken/${at}`, bodies = [sample(300_000, 1), sample(300_000, 2)];
        // Another opening: what keeps two calls of one process apart does not keep two machines apart.
        const other = await bench.open();
        const reached = Promise.withResolvers<void>(), goOn = Promise.withResolvers<void>();
        const pause = () => (reached.resolve(), goOn.promise);
        const first = bench.destination.put(key, pausing(bodies[0]!, sent, pause), never);
        first.catch(() => {});
        await Promise.race([reached.promise, first.catch(() => {})]);
        const second = other.put(key, bodyOf(bodies[1]!), never);
        // A service that locks may let the second wait for the first: then it is not overtaken, which is fine too.
        await within(second, "the second put").catch(() => {});
        goOn.resolve();
        await judgeRace(bench, key, bodies, await Promise.allSettled([first, second]));
        await bench.clear();
      }
    },
    { slow: true },
  ),

  given(
    "of two puts of the same bytes at once each one that succeeds is right",
    ["read", "list"],
    async (bench) => {
      const key = `${bench.folder}twins`, bytes = sample(300_000);
      const other = await bench.open();
      const results = await Promise.allSettled(
        [bench.destination, other].map((one) => one.put(key, bodyOf(bytes), never)),
      );
      for (const result of results) {
        if (result.status === "rejected") {
          bench.mustBe(
            result.reason,
            ["transient"],
            "one of two puts at once",
          );
        }
      }
      if (results.every(({ status }) => status === "rejected")) {
        await bench.destination.put(key, bodyOf(bytes), never);
      }
      await bench.holds(key, bytes);
      await bench.holdsOnly([key]);
    },
  ),

  given("a body that fails midway leaves nothing", ["read", "list"], async (bench) => {
    for (const sent of [0, 1, 200 * KIB]) {
      const failing = bodyOf(sample(300 * KIB), sent, (controller) => controller.error(new Error("boom")));
      await bench.refused(
        bench.destination.put(`${bench.folder}broken`, failing, never),
        [],
        "a body that fails",
      );
      await bench.leavesNothing(`${bench.folder}broken`);
    }
  }),

  given("a body that is not what it says is refused and leaves nothing", ["read", "list"], async (bench) => {
    const bytes = sample(200_000), honest = bodyOf(bytes), key = `${bench.folder}lie`;
    const lies: [string, Resendable][] = [
      ["ends early", bodyOf(bytes, 150_000)],
      ["ends before it begins", bodyOf(bytes, 0)],
      ["runs on", { ...honest, size: 199_999 }],
      ["holds bytes though empty", { ...honest, size: 0, sha256: sha256Hex("") }],
      ["has another hash", { ...honest, sha256: sha256Hex("other") }],
      ["is empty and has another hash", { ...bodyOf(sample(0)), sha256: sha256Hex("other") }],
    ];
    for (const [lie, body] of lies) {
      await bench.refused(bench.destination.put(key, body, never), ["corrupt"], `a body that ${lie}`);
      await bench.leavesNothing(key);
    }
    await bench.destination.put(key, honest, never);
    await bench.holds(key, bytes);
  }),

  given(
    "a long body with another hash is refused and leaves nothing",
    ["block", "read", "list"],
    async (bench) => {
      const bytes = sample(2 * bench.harness.block! + 5), key = `${bench.folder}long-lie`;
      for (const lie of [{ ...bodyOf(bytes), sha256: sha256Hex("other") }, bodyOf(bytes, bytes.length - 1)]) {
        await bench.refused(
          bench.destination.put(key, lie, never),
          ["corrupt"],
          "a long body with another hash",
        );
        await bench.leavesNothing(key);
      }
    },
    { slow: true },
  ),

  given("a body that runs on is refused without waiting for its end", ["read", "list"], async (bench) => {
    let closed = false;
    const reached = Promise.withResolvers<void>();
    const hangs = () => (reached.resolve(), new Promise<void>(() => {}));
    const body = bodyOf(sample(200_000), 200_000, hangs, () => closed = true);
    const put = bench.destination.put(`${bench.folder}endless`, { ...body, size: 199_999 }, never);
    await Promise.race([reached.promise, put.catch(() => {})]);
    await bench.refused(within(put, "the put of an endless body"), ["corrupt"], "an endless body");
    check(closed, "the endless body was left open");
    await bench.leavesNothing(`${bench.folder}endless`);
  }),

  given(
    "a lock against removal holds, or is refused before anything is sent",
    ["read", "list"],
    async (bench) => {
      const { destination, folder } = bench, key = `${folder}locked`, bytes = sample(1000);
      const immutableUntil = new Date(Date.now() + 3000);
      const put = destination.put(key, bodyOf(bytes), never, { immutableUntil });
      if (!destination.can.immutableUntil) {
        await bench.refused(put, ["unsupported"], "a put that asks for a lock");
        return await bench.leavesNothing(key);
      }
      await put;
      await bench.refused(destination.remove(key, never), ["denied"], "the removal of a locked key");
      await bench.holds(key, bytes);
      // Some services know whole seconds only, and may keep it up to the next one.
      await new Promise((resolve) => setTimeout(resolve, immutableUntil.getTime() - Date.now() + 1100));
    },
    { safe: false },
  ),
];

function sizeCase(size: number, slow: boolean): DestinationCase {
  return given(`${size} bytes come back as they were`, ["read", "list"], async (bench) => {
    const key = `${bench.folder}nested/in/folders/${size}.bin`, bytes = sample(size);
    const stored = await bench.destination.put(key, bodyOf(bytes), never);
    check(stored.key === key && stored.size === size, `put tells ${stored.size} bytes in "${stored.key}"`);
    await bench.holds(key, bytes);
    await bench.holdsOnly([key]);
  }, { slow });
}

/** A body that waits for `pause` after `sent` bytes, before it goes on or ends. */
function pausing(bytes: Uint8Array, sent: number, pause: () => Promise<void>): Resendable {
  const open = () => {
    const parts = [bytes.subarray(0, sent), undefined, bytes.subarray(sent)];
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (parts.length === 0) return controller.close();
        const part = parts.shift();
        if (part === undefined) await pause();
        controller.enqueue(part ?? new Uint8Array());
      },
    }, { highWaterMark: 0 });
  };
  return { ...bodyOf(bytes), open };
}

/** At most one of two different bodies was stored, it stands whole, and the other was told so. */
async function judgeRace(
  bench: Bench,
  key: string,
  bodies: readonly Uint8Array[],
  results: readonly PromiseSettledResult<unknown>[],
): Promise<void> {
  const winners = bodies.filter((_, at) => results[at]!.status === "fulfilled");
  check(winners.length <= 1, "two puts of different bytes said that they succeeded");
  for (const result of results) {
    if (result.status === "fulfilled") continue;
    bench.mustBe(result.reason, ["already-exists", "transient"], "the put that came second");
  }
  let [stands] = winners;
  if (!stands) {
    // Each was in the other's way: nothing may be visible of either, and the next one must get through.
    await bench.leavesNothing(key);
    stands = bodies[0]!;
    await bench.destination.put(key, bodyOf(stands), never);
  }
  await bench.holds(key, stands);
  await bench.holdsOnly([key]);
}
