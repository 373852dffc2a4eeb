import type { Destination } from "../contract.ts";
import { type Bench, bodyOf, check, given, keysOf, sample, struck, within } from "./bench.ts";
import { hurried, never } from "./clock.ts";
import type { DestinationCase } from "./harness.ts";

const MIB = 1024 * 1024;
const ENOUGH = 25_000;

/** What a service answers that is no success, or only looks like one. */
export const service: readonly DestinationCase[] = [
  given("not now, then success: one object", ["busy", "read", "list"], async (bench) => {
    for (const [at, size] of [10, 10 * MIB].entries()) {
      const key = `${bench.folder}busy-${at}`, bytes = sample(size);
      await using strike = await bench.strike("busy", 2);
      const destination = await bench.open(hurried(100));
      await bench.outlast(strike, () => destination.put(key, bodyOf(bytes), never), "the put");
      await bench.holds(key, bytes);
    }
    await bench.holdsOnly([0, 1].map((at) => `${bench.folder}busy-${at}`));
  }, { slow: true }),

  given(
    "not now for ever ends, as transient, and leaves nothing",
    ["busy", "read", "list"],
    async (bench) => {
      const key = `${bench.folder}never-now`;
      {
        await using strike = await bench.strike("busy", Infinity);
        const destination = await bench.open(hurried(1000));
        const put = destination.put(key, bodyOf(sample(100_000)), never);
        await bench.refused(within(put, "the put", ENOUGH), ["transient"], "a put while the service is busy");
        check(strike.times() >= 1 && strike.times() <= 30, `it was tried ${strike.times()} times`);
      }
      await bench.leavesNothing(key);
      await bench.destination.put(key, bodyOf(sample(100_000)), never);
    },
    { slow: true },
  ),

  given(
    "stored, and the answer lost: the next put finds one object",
    ["loseAnswer", "read", "list"],
    async (bench) => {
      for (const [at, size] of [0, 100_000, 10 * MIB].entries()) {
        const key = `${bench.folder}lost-${at}`, bytes = sample(size);
        {
          await using strike = await bench.strike("loseAnswer");
          const destination = await bench.open(hurried(100));
          await bench.outlast(strike, () => destination.put(key, bodyOf(bytes), never), "the put");
        }
        await bench.destination.put(key, bodyOf(bytes), never);
        await bench.holds(key, bytes);
        await bench.refused(
          bench.destination.put(key, bodyOf(sample(size + 1, 2)), never),
          ["already-exists"],
          "a put of other bytes",
        );
      }
      await bench.holdsOnly([0, 1, 2].map((at) => `${bench.folder}lost-${at}`));
    },
    { slow: true },
  ),

  given(
    "an upload that is confirmed and was not kept whole is caught",
    ["truncate", "read", "list"],
    async (bench) => {
      for (const [at, size] of [1, 100_000, 10 * MIB].entries()) {
        const key = `${bench.folder}truncated-${at}`, bytes = sample(size);
        {
          await using strike = await bench.strike("truncate");
          const destination = await bench.open(hurried(100));
          const whole = await destination.put(key, bodyOf(bytes), never).then(() => true, (error) => {
            bench.mustBe(error, ["corrupt", "transient"], "a put that was not kept whole");
            return false;
          });
          struck(strike, "the put");
          if (whole) await bench.holds(key, bytes);
        }
        await bench.destination.put(key, bodyOf(bytes), never);
        await bench.holds(key, bytes);
      }
      await bench.holdsOnly([0, 1, 2].map((at) => `${bench.folder}truncated-${at}`));
    },
    { slow: true },
  ),

  given(
    "no room is told as such, tried once, and leaves nothing",
    ["full", "read", "list"],
    async (bench) => {
      const key = `${bench.folder}too-much`, bytes = sample(MIB);
      {
        await using strike = await bench.strike("full");
        const destination = await bench.open(hurried(100));
        const put = destination.put(key, bodyOf(bytes), never);
        const error = await bench.refused(
          within(put, "the put", ENOUGH),
          ["quota", "unknown"],
          "a put without room",
        );
        check(/space|room|quota|full|large/i.test(error.message), `no room is told as: ${error.message}`);
        check(strike.times() >= 1 && strike.times() <= 2, `it was tried ${strike.times()} times`);
      }
      await bench.leavesNothing(key);
      await bench.destination.put(key, bodyOf(bytes), never);
    },
    { slow: true },
  ),

  given(
    "wrong credentials are denied, never an empty place",
    ["wrongCredentials", "read", "list", "remove"],
    async (bench) => {
      await bench.destination.put(`${bench.folder}secret`, bodyOf(sample(10)), never);
      await everyCall(bench, () => bench.strike("wrongCredentials"), ["denied"]);
      await bench.holds(`${bench.folder}secret`, sample(10));
      await bench.holdsOnly([`${bench.folder}secret`]);
    },
  ),

  given("a place that is not there is misconfigured, never an empty one", [
    "missingPlace",
    "read",
    "list",
    "remove",
  ], async (bench) => {
    await everyCall(bench, () => bench.strike("missingPlace"), ["misconfigured"]);
  }),

  given(
    "a web page in the place of an answer is no success",
    ["portal", "read", "list", "remove"],
    async (bench) => {
      await bench.destination.put(`${bench.folder}secret`, bodyOf(sample(10)), never);
      {
        await using strike = await bench.strike("portal");
        await everyCall(bench, () => bench.open(hurried(1000)), ["transient", "misconfigured", "corrupt"]);
        struck(strike, "the calls");
      }
      await bench.holds(`${bench.folder}secret`, sample(10));
      await bench.holdsOnly([`${bench.folder}secret`]);
    },
    { slow: true },
  ),

  given("a redirect is not followed", ["redirect", "read", "list", "remove"], async (bench) => {
    await bench.destination.put(`${bench.folder}secret`, bodyOf(sample(10)), never);
    await using strike = await bench.strike("redirect");
    await everyCall(bench, () => bench.open(hurried(1000)), ["misconfigured"]);
    check(strike.times() === 0, "a request was sent to where the redirect led");
  }, { slow: true }),
];

/** Fails unless every call of an opening (or the opening itself) ends with one of `codes`. */
async function everyCall(
  bench: Bench,
  open: () => Promise<Destination>,
  codes: readonly string[],
): Promise<void> {
  const key = `${bench.folder}secret`;
  const calls: [string, (destination: Destination) => Promise<unknown>][] = [
    ["put", (destination) => destination.put(`${key}.2`, bodyOf(sample(10)), never)],
    ["put of what is there", (destination) => destination.put(key, bodyOf(sample(10)), never)],
    ["get", (destination) => destination.get(key, undefined, never)],
    ["get of an absent key", (destination) => destination.get(`${key}.3`, undefined, never)],
    ["stat", (destination) => destination.stat(key, never)],
    ["stat of an absent key", (destination) => destination.stat(`${key}.3`, never)],
    ["list", (destination) => keysOf(destination, bench.folder)],
    ["list of everything", (destination) => keysOf(destination, "")],
    ["remove", (destination) => destination.remove(key, never)],
    ["discard", (destination) => destination.discard(key, never)],
  ];
  for (const [name, call] of calls) {
    const opened = await open().then((destination) => bench.keep(destination), (error) => {
      bench.mustBe(error, codes, "opening");
    });
    if (!opened) continue;
    const called = within(call(opened), `a ${name}`, ENOUGH);
    // Where nothing can be hidden there is nothing to be discarded, and nobody to be asked.
    if (name === "discard") await called.catch((error) => bench.mustBe(error, codes, "a discard"));
    else await bench.refused(called, codes, `a ${name}`);
  }
}
