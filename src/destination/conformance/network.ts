import { type Bench, bodyOf, check, given, keysOf, sample, struck, within } from "./bench.ts";
import { hurried, never } from "./clock.ts";
import type { DestinationCase } from "./harness.ts";

const MIB = 1024 * 1024;

/** How long anything may take on a hurried clock, in milliseconds of ours. */
const ENOUGH = 25_000;

/** When a connection is cut. */
const MOMENTS = { "at once": () => 0, "early": () => 100, "midway": (bench: Bench) => bench.middle };
type Moment = keyof typeof MOMENTS;

/** What a network does to transfers. */
export const network: readonly DestinationCase[] = [
  ...cuts(["up", "down"]).map(([how, way, moment]) =>
    given(
      `a put that is cut ${moment} (${how}, ${way}) is stored once by the next`,
      ["network", "read", "list"],
      (bench) => cutPut(bench, how, way, moment),
      { slow: true },
    )
  ),

  ...cuts(["down"]).map(([how, way, moment]) =>
    given(
      `a get that is cut ${moment} (${how}) goes on where it was`,
      ["network", "read"],
      async (bench) => {
        const key = `${bench.folder}cut`, bytes = sample(10 * MIB + 1);
        await bench.destination.put(key, bodyOf(bytes), never);
        for (const range of [undefined, { start: MIB + 1, end: 9 * MIB }]) {
          await using strike = await bench.strike("network", {
            kind: "cut",
            how,
            way,
            after: MOMENTS[moment](bench),
            connections: 2,
          });
          const destination = await bench.open(hurried(20));
          await bench.gives(key, range, bytes, destination);
          struck(strike, "the get");
        }
      },
      { slow: true },
    )
  ),

  given(
    "a get that is cut for ever fails, and never ends as if it were whole",
    ["network", "read"],
    async (bench) => {
      const key = `${bench.folder}severed`, bytes = sample(4 * MIB);
      await bench.destination.put(key, bodyOf(bytes), never);
      for (const how of ["fin", "rst"] as const) {
        await using strike = await bench.strike(
          "network",
          {
            ...{ kind: "cut", how, way: "down", after: 200_000, connections: Infinity },
          } as const,
        );
        const destination = await bench.open(hurried(100));
        const got = bench.gives(key, undefined, bytes, destination).then(() => {
          // Pieces small enough to slip through between two cuts may bring it home after all.
        }, (error) => bench.mustBe(error, ["transient"], "a get that is cut for ever"));
        await within(got, "a get that is cut for ever", ENOUGH);
        struck(strike, "the get");
      }
    },
    { slow: true },
  ),

  given("a list that is cut is whole or fails", ["network", "list"], async (bench) => {
    const keys = Array.from({ length: 40 }, (_, at) => `${bench.folder}some/${at}`);
    for (const key of keys) await bench.destination.put(key, bodyOf(sample(1)), never);
    for (const how of ["fin", "rst"] as const) {
      for (const after of [0, 700]) {
        await using strike = await bench.strike(
          "network",
          {
            ...{ kind: "cut", how, way: "down", after, connections: Infinity },
          } as const,
        );
        const destination = await bench.open(hurried(100)).catch((error) => {
          bench.mustBe(error, ["transient"], "opening");
        });
        const found = destination && await keysOf(destination, bench.folder).catch((error) => {
          bench.mustBe(error, ["transient"], "a list that is cut");
        });
        check(!found || found.length === keys.length, `a list that was cut gave ${found?.length} of 40 keys`);
        struck(strike, "the list");
        await bench.close();
      }
    }
  }, { slow: true }),

  given("silence ends a put, a get and a list by itself", ["network", "read", "list"], async (bench) => {
    const key = `${bench.folder}silent`, bytes = sample(12 * MIB);
    await bench.destination.put(key, bodyOf(bytes), never);
    const judge = async (
      what: string,
      way: "up" | "down",
      after: number,
      call: (bench: Bench) => Promise<unknown>,
    ) => {
      await using strike = await bench.strike("network", { kind: "stall", way, after });
      await bench.refused(within(call(bench), what, ENOUGH), ["transient"], what);
      struck(strike, what);
      await bench.close();
    };
    const open = () => bench.open(hurried(400));
    for (const after of [0, bench.middle]) {
      const put = async () => (await open()).put(`${key}.2`, bodyOf(bytes), never);
      await judge(`a put that stands still after ${after} bytes`, "up", after, put);
    }
    await judge(
      "a get that stands still at once",
      "down",
      0,
      async () => (await open()).get(key, undefined, never),
    );
    {
      // Each connection lets something through, so a get that goes on where it was may bring all of it home.
      await using strike = await bench.strike("network", { kind: "stall", way: "down", after: bench.middle });
      const got = bench.gives(key, undefined, bytes, await open()).catch((error) =>
        bench.mustBe(error, ["transient"], "a get that stands still")
      );
      await within(got, "a get that stands still", ENOUGH);
      struck(strike, "the get");
      await bench.close();
    }
    await judge(
      "a put whose answer never comes",
      "down",
      0,
      async () => (await open()).put(`${key}.2`, bodyOf(sample(1)), never),
    );
    await judge("a list that stands still", "down", 0, async () => keysOf(await open(), bench.folder));
    await bench.holds(key, bytes);
    const rest = await keysOf(bench.destination, bench.folder);
    check(rest.every((one) => one === key || one === `${key}.2`), `list gives "${rest}"`);
    // Only the one whose last answer was lost may be there, and then whole.
    if (rest.length > 1) await bench.holds(`${key}.2`, sample(1));
  }, { slow: true }),

  given("a slow line is not silence", ["network", "read"], async (bench) => {
    const up = `${bench.folder}slow-up`, down = `${bench.folder}slow-down`, bytes = sample(16 * MIB);
    await bench.destination.put(down, bodyOf(bytes), never);
    {
      await using strike = await bench.strike("network", { kind: "throttle", bytesPerSecond: 4 * MIB });
      // Slower as a whole than the silence that is allowed on this clock; what buffers swallow is not.
      const [one, other] = [await bench.open(hurried(36)), await bench.open(hurried(36))];
      await Promise.all([one.put(up, bodyOf(bytes), never), bench.gives(down, undefined, bytes, other)]);
      struck(strike, "the transfers");
    }
    await bench.holds(up, bytes);
  }, { slow: true }),
];

/** All ways to be cut. */
function cuts<Way extends "up" | "down">(ways: readonly Way[]): ["fin" | "rst", Way, Moment][] {
  return (["fin", "rst"] as const).flatMap((how) =>
    ways.flatMap((way) =>
      (Object.keys(MOMENTS) as Moment[]).map((moment): ["fin" | "rst", Way, Moment] => [how, way, moment])
    )
  );
}

async function cutPut(bench: Bench, how: "fin" | "rst", way: "up" | "down", moment: Moment): Promise<void> {
  // Answers to a put are short: what is to be cut "in the middle of the way down" is cut in the middle of one.
  const after = way === "down" ? Math.min(MOMENTS[moment](bench), 150) : MOMENTS[moment](bench);
  const key = `${bench.folder}cut`, bytes = sample(10 * MIB + 1);
  const strike = await bench.strike("network", { kind: "cut", how, way, after, connections: 2 });
  {
    await using _ = strike;
    const put = async () => {
      const destination = await bench.open(hurried(20));
      await destination.put(key, bodyOf(bytes), never);
    };
    const outlasting = bench.outlast(strike, async () => {
      try {
        await put();
      } catch (error) {
        bench.mustBe(error, ["transient"], "a put that is cut");
        await bench.holdsWholeOrNothing(key, bytes);
        throw error;
      }
    }, "the put");
    await within(outlasting, "a put that is cut twice", ENOUGH);
  }
  await bench.holds(key, bytes);
  await bench.holdsOnly([key]);
}
