import type { ByteRange } from "../contract.ts";
import { bodyOf, check, given, keysOf, sample } from "./bench.ts";
import { never } from "./clock.ts";
import type { DestinationCase } from "./harness.ts";

/** What `get`, `stat` and `list` tell. */
export const reads: readonly DestinationCase[] = [
  given("get and stat of an absent key are not found", ["read"], async (bench) => {
    const { destination, folder } = bench;
    await destination.put(`${folder}present`, bodyOf(sample(10)), never);
    for (const key of ["absent", "no/such/folder/absent", "presen", "present.sha256"]) {
      await bench.refused(destination.stat(folder + key, never), ["not-found"], "stat of an absent key");
      for (const range of [undefined, { start: 1, end: 2 }, { start: 0 }]) {
        await bench.refused(
          destination.get(folder + key, range, never),
          ["not-found"],
          "get of an absent key",
        );
      }
    }
  }),

  given("ranges give exactly their bytes", ["read"], async (bench) => {
    const { destination, folder } = bench;
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
    for (const range of ranges) await bench.gives(key, range, bytes, destination);
  }),

  given("nothing is asked for as well as anything", ["read"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}empty`;
    await destination.put(key, bodyOf(sample(0)), never);
    await bench.gives(key, undefined, sample(0), destination);
    await bench.gives(key, { start: 0 }, sample(0), destination);
    await bench.gives(key, { start: 0, end: 0 }, sample(0), destination);
  }),

  given("a range outside of what is stored is refused", ["read"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}short`;
    await destination.put(key, bodyOf(sample(1000)), never);
    for (const range of [{ start: 1001 }, { start: 5, end: 4 }, { start: -1 }, { start: 0.5 }]) {
      await bench.refused(destination.get(key, range, never), ["misconfigured"], "an impossible range");
    }
  }),

  given("list gives every key with its prefix and no other", ["list"], async (bench) => {
    const { destination, folder } = bench;
    const names = ["a/one", "a/two", "a/deep/er/three", "a-b/four", "ab/five", "A.txt"];
    await bench.holdsOnly([]);
    for (const [at, name] of names.entries()) await destination.put(folder + name, bodyOf(sample(at)), never);
    await bench.holdsOnly(names.map((name) => folder + name));
    for (const prefix of ["a/", "a/t", "a/deep/", "a", "a/deep/er/three", "b/", "a/x", "a/one/"]) {
      const expected = names.filter((name) => name.startsWith(prefix)).sort();
      const found = (await keysOf(destination, folder + prefix)).map((key) => key.slice(folder.length))
        .sort();
      check(found.join() === expected.join(), `list of "${prefix}" gave "${found}" instead of "${expected}"`);
    }
    for await (const { key, size } of destination.list(folder, never)) {
      check(size === names.indexOf(key.slice(folder.length)), `list gave ${size} as the size of "${key}"`);
    }
  }),

  given("list goes on past one page", ["list"], async (bench) => {
    const { destination, folder, harness } = bench;
    const page = harness.page ?? 1000, count = page + Math.min(page, 100);
    const keys = Array.from({ length: count }, (_, at) => `${folder}page/${String(at).padStart(5, "0")}`);
    for (let at = 0; at < keys.length; at += 20) {
      await Promise.all(keys.slice(at, at + 20).map((key) => destination.put(key, bodyOf(sample(1)), never)));
    }
    const found = await keysOf(destination, `${folder}page/`);
    check(found.sort().join() === keys.join(), `list gave ${found.length} of ${keys.length} keys`);
  }, { slow: true }),

  given("two openings see the same", ["read", "list"], async (bench) => {
    const key = `${bench.folder}shared`;
    await bench.destination.put(key, bodyOf(sample(10)), never);
    const second = await bench.open();
    await bench.holds(key, sample(10), second);
    await bench.refused(
      second.put(key, bodyOf(sample(11)), never),
      ["already-exists"],
      "a put through the second",
    );
    await bench.holds(key, sample(10));
  }),
];
