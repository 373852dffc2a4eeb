import { type Bench, bodyOf, check, given, keysOf, sample, within } from "./bench.ts";
import { never } from "./clock.ts";
import type { DestinationCase } from "./harness.ts";

const KIB = 1024, MIB = 1024 * KIB;

/** What an abort ends, how soon, and what it leaves. */
export const cancels: readonly DestinationCase[] = [
  given("a put cancelled before it begins leaves nothing", ["read", "list"], async (bench) => {
    const put = bench.destination.put(`${bench.folder}early`, bodyOf(sample(1000)), AbortSignal.abort());
    await bench.refused(within(put, "a cancelled put"), ["cancelled"], "a cancelled put");
    await bench.leavesNothing(`${bench.folder}early`);
  }),

  ...[0, 100 * KIB, 9 * MIB].map((sent) =>
    given(
      `a put cancelled while its body hangs after ${sent} bytes ends and leaves nothing`,
      ["read", "list"],
      (bench) => hangingPut(bench, 10 * MIB, sent),
      { slow: sent > MIB },
    )
  ),

  given("a put cancelled while its body hangs behind a block ends and leaves nothing", [
    "block",
    "read",
    "list",
  ], async (bench) => {
    const block = bench.harness.block!;
    for (const sent of [block, block + 1, 2 * block]) await hangingPut(bench, 2 * block + 1, sent);
  }, { slow: true }),

  given("calls with a cancelled signal are refused", ["read", "list", "remove"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}key`, gone = AbortSignal.abort();
    await destination.put(key, bodyOf(sample(10)), never);
    await bench.refused(destination.get(key, undefined, gone), ["cancelled"], "a cancelled get");
    await bench.refused(destination.stat(key, gone), ["cancelled"], "a cancelled stat");
    await bench.refused(keysOf(destination, folder, gone), ["cancelled"], "a cancelled list");
    await bench.refused(destination.remove(key, gone), ["cancelled"], "a cancelled remove");
    await bench.refused(destination.discard(key, gone), ["cancelled"], "a cancelled discard");
    await bench.holds(key, sample(10));
  }),

  given("a get that is cancelled or left never ends as if it were whole", ["read"], async (bench) => {
    const key = `${bench.folder}long`, bytes = sample(8 * MIB), cancel = new AbortController();
    await bench.destination.put(key, bodyOf(bytes), never);
    const left = (await bench.destination.get(key, undefined, never)).getReader();
    await left.read();
    await within(left.cancel(), "leaving a get");
    const reader = (await bench.destination.get(key, undefined, cancel.signal)).getReader();
    let size = (await reader.read()).value?.length ?? 0;
    cancel.abort();
    const rest = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) size += next.value.length;
      check(size === bytes.length, `a cancelled get ended without an error after ${size} bytes`);
    };
    await within(rest(), "the cancelled get").catch((error) =>
      bench.mustBe(error, ["cancelled"], "a cancelled get")
    );
  }, { slow: true }),

  given("every call that waits for the service ends when it is cancelled", [
    "network",
    "read",
    "list",
    "remove",
  ], async (bench) => {
    const key = `${bench.folder}waited-for`, bytes = sample(MIB);
    await bench.destination.put(key, bodyOf(bytes), never);
    for (const way of ["up", "down"] as const) {
      await using _ = await bench.strike("network", { kind: "stall", way, after: 0 });
      const calls: [string, (signal: AbortSignal) => Promise<unknown>][] = [
        ["put", async (signal) => (await bench.open()).put(`${key}.2`, bodyOf(bytes), signal)],
        ["get", async (signal) => (await bench.open()).get(key, undefined, signal)],
        ["stat", async (signal) => (await bench.open()).stat(key, signal)],
        ["list", async (signal) => keysOf(await bench.open(), bench.folder, signal)],
        ["remove", async (signal) => (await bench.open()).remove(`${key}.3`, signal)],
      ];
      for (const [name, call] of calls) {
        const cancel = new AbortController();
        const ended = call(cancel.signal);
        ended.catch(() => {});
        await Promise.race([ended.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 300))]);
        cancel.abort();
        await bench.refused(within(ended, `a cancelled ${name}`), ["cancelled"], `a cancelled ${name}`);
      }
      await within(bench.close(), "disposing");
    }
    await bench.holds(key, bytes);
    await bench.holdsOnly([key]);
  }, { slow: true }),

  given(
    "a transfer that stands still in its middle ends when it is cancelled",
    ["network", "read", "list"],
    async (bench) => {
      const key = `${bench.folder}still`, bytes = sample(12 * MIB);
      await bench.destination.put(key, bodyOf(bytes), never);
      for (const way of ["up", "down"] as const) {
        await using strike = await bench.strike("network", { kind: "stall", way, after: bench.middle });
        const cancel = new AbortController();
        const destination = await bench.open();
        const read = async () => {
          const reader = (await destination.get(key, undefined, cancel.signal)).getReader();
          while (!(await reader.read()).done);
        };
        const transfer: Promise<unknown> = way === "up"
          ? destination.put(`${key}.2`, bodyOf(bytes), cancel.signal)
          : read();
        transfer.catch(() => {});
        for (let waits = 0; strike.times() === 0 && waits < 200; waits++) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        check(strike.times() > 0, "the fault of the harness never struck the transfer");
        cancel.abort();
        await bench.refused(within(transfer, "a cancelled transfer"), ["cancelled"], "a cancelled transfer");
        await bench.close();
      }
      await bench.holdsOnly([key]);
    },
    { slow: true },
  ),
];

/** A put whose body hangs for ever after `sent` of `size` bytes, and is then cancelled. */
async function hangingPut(bench: Bench, size: number, sent: number): Promise<void> {
  const key = `${bench.folder}hanging`, cancel = new AbortController();
  let closed = false, hangs = () => {};
  const reached = new Promise<void>((resolve) => hangs = resolve);
  // Held, as a disk or a socket holds what waits for it: else nothing does, and a runtime that lets go of combined signals
  // (Deno 2.7) collects all of it before it hears of the abort.
  const held: unknown[] = [];
  const hanging = () => (hangs(), new Promise<void>((resolve) => held.push(resolve)));
  const body = bodyOf(sample(size), sent, hanging, () => closed = true);
  const put = bench.destination.put(key, body, cancel.signal);
  put.catch(() => {});
  await Promise.race([reached, put]);
  cancel.abort();
  await bench.refused(within(put, "the cancelled put"), ["cancelled"], "the cancelled put");
  check(held.length > 0 && closed, "the body was left open after the cancelled put");
  await bench.leavesNothing(key);
}
