/**
 * What every destination must do, as plain functions: tests run them over each plugin and decorator, and
 * `vaultferry destination test` runs the safe ones against the user's own bucket.
 */
import { collect } from "../base/bytes.ts";
import { sha256Hex } from "../base/hash.ts";
import {
  bodyOf,
  check,
  type DestinationCase,
  given,
  holds,
  holdsOnly,
  keysOf,
  leavesNothing,
  mustBe,
  never,
  refused,
  sample,
  within,
} from "./conformance_bench.ts";
import type { ByteRange, Resendable } from "./contract.ts";

export type { ConformanceHarness, DestinationCase } from "./conformance_bench.ts";

const KIB = 1024, MIB = 1024 * KIB;

/** The cases; each one has a folder of its own, so that their order never matters, and clears it afterwards. */
export const destinationCases: readonly DestinationCase[] = [
  ...[0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1].map((size) => sizeCase(size, false)),
  ...[MIB - 1, MIB, MIB + 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1].map((size) => sizeCase(size, true)),

  given("get and stat of an absent key are not found", ["read"], async ({ destination, folder }) => {
    for (const key of [`${folder}absent`, `${folder}no/such/folder/absent`]) {
      await refused(destination.stat(key, never), ["not-found"], "stat of an absent key");
      await refused(destination.get(key, undefined, never), ["not-found"], "get of an absent key");
      await refused(
        destination.get(key, { start: 1, end: 2 }, never),
        ["not-found"],
        "get of an absent range",
      );
    }
  }),

  given("a second put of other bytes is refused and the first stand", ["read", "list"], async (bench) => {
    const { destination, folder } = bench;
    const key = `${folder}kept`, first = sample(70_000, 1);
    await destination.put(key, bodyOf(first), never);
    for (const other of [sample(70_000, 2), sample(70_001, 1), sample(69_999, 1), sample(0)]) {
      await refused(destination.put(key, bodyOf(other), never), ["already-exists"], "a put of other bytes");
      await holds(bench, key, first);
    }
    await holdsOnly(bench, [key]);
  }),

  given("the same bytes again are a success", ["read", "list"], async (bench) => {
    const key = `${bench.folder}twice`, bytes = sample(70_000);
    await bench.destination.put(key, bodyOf(bytes), never);
    const again = await bench.destination.put(key, bodyOf(bytes), never);
    check(again.key === key && again.size === bytes.length, "the second put tells another key or size");
    await holds(bench, key, bytes);
    await holdsOnly(bench, [key]);
  }),

  given("of two puts of one key at once one stands whole", ["read", "list"], async (bench) => {
    const key = `${bench.folder}race`, bodies = [sample(300_000, 1), sample(300_000, 2)];
    const results = await Promise.allSettled(
      bodies.map((bytes) => bench.destination.put(key, bodyOf(bytes), never)),
    );
    const winners = bodies.filter((_, at) => results[at]!.status === "fulfilled");
    check(winners.length === 1, `${winners.length} of two puts of different bytes said that they succeeded`);
    await holds(bench, key, winners[0]!);
    await holdsOnly(bench, [key]);
  }),

  given("a body that fails midway leaves nothing", ["read", "list"], async (bench) => {
    for (const sent of [0, 1, 200 * KIB]) {
      const failing = bodyOf(sample(300 * KIB), sent, (controller) => controller.error(new Error("boom")));
      await refused(bench.destination.put(`${bench.folder}broken`, failing, never), [], "a body that fails");
      await leavesNothing(bench, `${bench.folder}broken`);
    }
  }),

  given("a body that is not what it says is refused and leaves nothing", ["read", "list"], async (bench) => {
    const bytes = sample(200_000), honest = bodyOf(bytes);
    const lies: [string, Resendable][] = [
      ["ends early", bodyOf(bytes, 150_000)],
      ["ends before it begins", bodyOf(bytes, 0)],
      ["runs on", { ...honest, size: 199_999 }],
      ["holds bytes though empty", { ...honest, size: 0, sha256: sha256Hex("") }],
      ["has another hash", { ...honest, sha256: sha256Hex("other") }],
    ];
    for (const [lie, body] of lies) {
      await refused(
        bench.destination.put(`${bench.folder}lie`, body, never),
        ["corrupt"],
        `a body that ${lie}`,
      );
      await leavesNothing(bench, `${bench.folder}lie`);
    }
    await bench.destination.put(`${bench.folder}lie`, honest, never);
    await holds(bench, `${bench.folder}lie`, bytes);
  }),

  given("a body that runs on is refused without waiting for its end", ["read", "list"], async (bench) => {
    let closed = false;
    const hangs = () => new Promise<void>(() => {});
    const body = bodyOf(sample(200_000), 200_000, hangs, () => closed = true);
    const put = bench.destination.put(`${bench.folder}endless`, { ...body, size: 199_999 }, never);
    await refused(within(put, "the put of an endless body"), ["corrupt"], "an endless body");
    check(closed, "the endless body was left open");
    await leavesNothing(bench, `${bench.folder}endless`);
  }),

  given("a put cancelled before it begins leaves nothing", ["read", "list"], async (bench) => {
    const put = bench.destination.put(`${bench.folder}early`, bodyOf(sample(1000)), AbortSignal.abort());
    await refused(within(put, "a cancelled put"), ["cancelled"], "a cancelled put");
    await leavesNothing(bench, `${bench.folder}early`);
  }),

  ...[0, 100 * KIB, 9 * MIB].map((sent) =>
    given(`a put cancelled while its body hangs after ${sent} bytes ends and leaves nothing`, [
      "read",
      "list",
    ], async (bench) => {
      const key = `${bench.folder}hanging`, cancel = new AbortController();
      let closed = false, hangs = () => {};
      const reached = new Promise<void>((resolve) => hangs = resolve);
      const body = bodyOf(
        sample(10 * MIB),
        sent,
        () => (hangs(), new Promise(() => {})),
        () => closed = true,
      );
      const put = bench.destination.put(key, body, cancel.signal);
      put.catch(() => {});
      await Promise.race([reached, put]);
      cancel.abort();
      await refused(within(put, "the cancelled put"), ["cancelled"], "the cancelled put");
      check(closed, "the body was left open after the cancelled put");
      await leavesNothing(bench, key);
    }, { slow: sent > MIB })
  ),

  given("calls with a cancelled signal are refused", ["read", "list", "remove"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}key`, gone = AbortSignal.abort();
    await destination.put(key, bodyOf(sample(10)), never);
    await refused(destination.get(key, undefined, gone), ["cancelled"], "a cancelled get");
    await refused(destination.stat(key, gone), ["cancelled"], "a cancelled stat");
    await refused(keysOf(destination, folder, gone), ["cancelled"], "a cancelled list");
    await refused(destination.remove(key, gone), ["cancelled"], "a cancelled remove");
    await holds(bench, key, sample(10));
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
      mustBe(error, ["cancelled"], "a cancelled get")
    );
  }, { slow: true }),

  given("ranges give exactly their bytes", ["read"], async ({ destination, folder }) => {
    const key = `${folder}ranges`, bytes = sample(300_001);
    await destination.put(key, bodyOf(bytes), never);
    const ranges: ByteRange[] = [
      { start: 0, end: 1 },
      { start: 65_535, end: 65_537 },
      { start: 1, end: 300_000 },
      { start: 300_000 },
      { start: 123_456 },
      { start: 0 },
      { start: 0, end: 300_001 },
    ];
    for (const range of ranges) {
      const got = await collect(await destination.get(key, range, never), MIB, key);
      const same = sha256Hex(got) === sha256Hex(bytes.subarray(range.start, range.end));
      check(same, `bytes ${range.start} to ${range.end ?? "the end"} came back as ${got.length} other bytes`);
    }
  }),

  given("list gives every key with its prefix and no other", ["list"], async (bench) => {
    const { destination, folder } = bench;
    const names = ["a/one", "a/two", "a/deep/er/three", "a-b/four", "ab/five", "A.txt"];
    await holdsOnly(bench, []);
    for (const [at, name] of names.entries()) await destination.put(folder + name, bodyOf(sample(at)), never);
    await holdsOnly(bench, names.map((name) => folder + name));
    for (const prefix of ["a/", "a/t", "a/deep/", "a", "a/deep/er/three", "b/", "a/x"]) {
      const expected = names.filter((name) => name.startsWith(prefix)).sort();
      const found = (await keysOf(destination, folder + prefix)).map((key) => key.slice(folder.length))
        .sort();
      check(found.join() === expected.join(), `list of "${prefix}" gave "${found}" instead of "${expected}"`);
    }
    for await (const { key, size } of destination.list(folder, never)) {
      check(size === names.indexOf(key.slice(folder.length)), `list gave ${size} as the size of "${key}"`);
    }
  }),

  given("list goes on past one page", ["list"], async ({ destination, folder }) => {
    const keys = Array.from({ length: 1100 }, (_, at) => `${folder}page/${String(at).padStart(4, "0")}`);
    for (let at = 0; at < keys.length; at += 20) {
      await Promise.all(keys.slice(at, at + 20).map((key) => destination.put(key, bodyOf(sample(1)), never)));
    }
    const found = await keysOf(destination, `${folder}page/`);
    check(found.sort().join() === keys.join(), `list gave ${found.length} of ${keys.length} keys`);
  }, { slow: true }),

  given("a removed key is gone, and removing it again is fine", ["read", "list", "remove"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}gone`, beside = `${folder}gone.sha256`;
    await destination.put(key, bodyOf(sample(10)), never);
    await destination.put(beside, bodyOf(sample(20)), never);
    for (let times = 0; times < 2; times++) {
      await destination.remove(key, never);
      await refused(destination.stat(key, never), ["not-found"], "stat of a removed key");
      await refused(destination.get(key, undefined, never), ["not-found"], "get of a removed key");
      await holdsOnly(bench, [beside]);
    }
    await destination.remove(`${folder}never/was/there`, never);
    await holds(bench, beside, sample(20));
    await destination.put(key, bodyOf(sample(30)), never);
    await holds(bench, key, sample(30));
  }),

  given("discard never touches a stored key", ["read", "list"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}stored`;
    await destination.discard(key, never);
    await destination.discard(`${folder}never/was/there`, never);
    await leavesNothing(bench, key);
    await destination.put(key, bodyOf(sample(10)), never);
    await destination.discard(key, never);
    await destination.discard(folder + "stor", never);
    await holds(bench, key, sample(10));
  }),

  given("two openings see the same", ["read", "list"], async (bench) => {
    const key = `${bench.folder}shared`;
    await bench.destination.put(key, bodyOf(sample(10)), never);
    await using second = await bench.open();
    await holds({ ...bench, destination: second }, key, sample(10));
    await refused(second.put(key, bodyOf(sample(11)), never), ["already-exists"], "a put through the second");
    await holds(bench, key, sample(10));
  }),

  given("hostile keys are refused", ["read", "list", "remove"], async (bench) => {
    const { destination, folder } = bench;
    const hostile = [
      "",
      "/",
      "/etc/x",
      "..",
      ".",
      "../x",
      `${folder}../x`,
      `${folder}./x`,
      `${folder}/x`,
      folder,
    ]
      .concat(
        ["a b", "a\\b", "C:\\x", "a:b", "a\0b", "a\nb", "é", "a%2fb", "a?b", "*"].map((name) =>
          folder + name
        ),
      );
    for (const key of hostile) {
      const shown = JSON.stringify(key);
      const bad = ["misconfigured"] as const;
      await refused(destination.put(key, bodyOf(sample(1)), never), bad, `a put of ${shown}`);
      await refused(destination.get(key, undefined, never), bad, `a get of ${shown}`);
      await refused(destination.stat(key, never), bad, `a stat of ${shown}`);
      await refused(destination.remove(key, never), bad, `a remove of ${shown}`);
      await refused(destination.discard(key, never), bad, `a discard of ${shown}`);
    }
    for (const prefix of ["../", `${folder}../`, "/", "/etc/"]) {
      await refused(keysOf(destination, prefix), ["misconfigured"], `a list of "${prefix}"`);
    }
    await holdsOnly(bench, []);
  }, { safe: false }),
];

function sizeCase(size: number, slow: boolean): DestinationCase {
  return given(`${size} bytes come back as they were`, ["read", "list"], async (bench) => {
    const key = `${bench.folder}nested/in/folders/${size}.bin`, bytes = sample(size);
    const stored = await bench.destination.put(key, bodyOf(bytes), never);
    check(stored.key === key && stored.size === size, `put tells ${stored.size} bytes in "${stored.key}"`);
    await holds(bench, key, bytes);
    await holdsOnly(bench, [key]);
  }, { slow });
}
