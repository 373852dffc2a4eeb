import { bodyOf, check, given, keysOf, sample } from "./bench.ts";
import { never } from "./clock.ts";
import type { DestinationCase } from "./harness.ts";

/** What is removed, what is never touched, and what is no key. */
export const names: readonly DestinationCase[] = [
  given("a removed key is gone, and removing it again is fine", ["read", "list", "remove"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}gone`, beside = `${folder}gone.sha256`;
    await destination.put(key, bodyOf(sample(10)), never);
    await destination.put(beside, bodyOf(sample(20)), never);
    for (let times = 0; times < 2; times++) {
      await destination.remove(key, never);
      await bench.refused(destination.stat(key, never), ["not-found"], "stat of a removed key");
      await bench.refused(destination.get(key, undefined, never), ["not-found"], "get of a removed key");
      await bench.holdsOnly([beside]);
    }
    await destination.remove(`${folder}never/was/there`, never);
    await bench.holds(beside, sample(20));
    await destination.put(key, bodyOf(sample(30)), never);
    await bench.holds(key, sample(30));
  }),

  given("discard never touches a stored key", ["read", "list"], async (bench) => {
    const { destination, folder } = bench, key = `${folder}stored`;
    await destination.discard(key, never);
    await destination.discard(`${folder}never/was/there`, never);
    await bench.leavesNothing(key);
    await destination.put(key, bodyOf(sample(10)), never);
    await destination.discard(key, never);
    await destination.discard(folder + "stor", never);
    await bench.holds(key, sample(10));
  }),

  given(
    "what is not ours is neither listed nor touched",
    ["plant", "read", "list", "remove"],
    async (bench) => {
      const { destination, folder } = bench, key = `${folder}ours`;
      const planted = await Promise.all(
        ["not a key.txt", ".partial", ".ours.partial", ".ours.0123.partial", "~$ours", "ours (1)"]
          .map((name) => bench.strike("plant", folder + name)),
      );
      await bench.holdsOnly([]);
      await destination.put(key, bodyOf(sample(10)), never);
      await bench.holdsOnly([key]);
      await destination.discard(key, never);
      await destination.remove(key, never);
      for (const one of planted) check(await one.intact(), "what somebody else had stored was touched");
      await bench.holdsOnly([]);
    },
  ),

  given("hostile keys are refused", ["read", "list", "remove"], async (bench) => {
    const { destination, folder } = bench;
    const below = [
      "a b",
      "a\\b",
      "C:\\x",
      "a:b",
      "a\0b",
      "a\nb",
      "é",
      "a%2fb",
      "a?b",
      "*",
      "a#b",
      "a;b",
      "a&b",
    ];
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
      .concat(below.map((name) => folder + name), `${folder}.x.0123456789abcdef.partial`);
    for (const key of hostile) {
      const shown = JSON.stringify(key);
      const bad = ["misconfigured"] as const;
      await bench.refused(destination.put(key, bodyOf(sample(1)), never), bad, `a put of ${shown}`);
      await bench.refused(destination.get(key, undefined, never), bad, `a get of ${shown}`);
      await bench.refused(destination.stat(key, never), bad, `a stat of ${shown}`);
      await bench.refused(destination.remove(key, never), bad, `a remove of ${shown}`);
      await bench.refused(destination.discard(key, never), bad, `a discard of ${shown}`);
    }
    for (const prefix of ["../", `${folder}../`, "/", "/etc/", `${folder}a b`, `${folder}%`]) {
      await bench.refused(keysOf(destination, prefix), ["misconfigured"], `a list of "${prefix}"`);
    }
    await bench.holdsOnly([]);
  }, { safe: false }),
];
