import assert from "node:assert/strict";
import type { Run } from "../../src/model/run.ts";
import { anothersRun, refusedBefore } from "../../src/policy/guards/account.ts";
import { baselineOf } from "../../src/policy/guards/baseline.ts";
import { day, type Holding, run, thin } from "./runs.ts";

const OLD = { a: 10, b: 10 };
const NEW = { x: 10, y: 10 };
const refused = (at: number, holding: Holding = NEW) => run(at, holding, { outcome: "refused" });

/** The run whose account these vaults are not. */
function another(runs: Run[], shown: object, ...accepted: string[]): string | undefined {
  return anothersRun(runs, new Set(accepted), new Set(Object.keys(shown)))?.run;
}

Deno.test("no vault in common with the last complete run is another account", () => {
  assert.equal(another([run(0, OLD)], NEW), "run 0");
  assert.equal(another([run(0, OLD)], { ...NEW, b: 1 }), undefined);
  assert.equal(another([run(0, OLD), run(1, { b: 10 })], { a: 1 }), "run 1");
});

Deno.test("a vault that was only left out on purpose is of the same account", () => {
  assert.equal(another([run(0, OLD, { excluded: ["x"] })], NEW), undefined);
});

Deno.test("where nothing is known of earlier vaults nothing is refused", () => {
  assert.equal(another([], NEW), undefined);
  assert.equal(another([thin(run(0, OLD))], NEW), undefined);
  assert.equal(another([run(0, OLD, { outcome: "incomplete" })], NEW), undefined);
});

Deno.test("a doubtful run does not make another account the right one", () => {
  const runs = [run(0, OLD), run(1, NEW, { outcome: "suspicious" }), run(2, NEW, { outcome: "incomplete" })];
  assert.equal(another(runs, NEW), "run 0");
  assert.equal(another([run(0, OLD), thin(run(1, OLD))], NEW), "run 0", "the chain knows no vaults");
});

Deno.test("an accepted try lets its account in, and the old one is another from the first good run on", () => {
  const tried = [run(0, OLD), refused(1)];
  assert.equal(another(tried, NEW), "run 0");
  assert.equal(another(tried, NEW, "run 1"), undefined);
  assert.equal(another(tried, OLD, "run 1"), undefined, "back again before anything was published");
  assert.equal(another(tried, { z: 1 }, "run 1"), "run 0", "a third account");
  const taken = [...tried, run(2, NEW)];
  assert.equal(another(taken, NEW, "run 1"), undefined);
  assert.equal(another(taken, OLD, "run 1"), "run 2");
});

Deno.test("a try that was accepted before a good run of the old account still counts", () => {
  assert.equal(another([run(0, OLD), refused(1), run(2, OLD)], NEW, "run 1"), undefined);
});

Deno.test("what was accepted once is used up: there and back again is to be accepted anew", () => {
  const runs = [run(0, OLD), refused(1), run(2, NEW), refused(3, OLD), run(4, OLD)];
  const accepted = ["run 1", "run 3"];
  assert.equal(another(runs, OLD, ...accepted), undefined);
  assert.equal(another(runs, NEW, ...accepted), "run 4");
  assert.equal(refusedBefore(runs, new Set(accepted), new Set(Object.keys(NEW))), undefined, "a new name");
});

Deno.test("a try that goes on night after night keeps its name", () => {
  const runs = [run(0, OLD), refused(1), refused(2, { a: 0, b: 0 })];
  assert.equal(refusedBefore(runs, new Set(), new Set(["y", "z"]))?.run, "run 1");
  assert.equal(refusedBefore(runs, new Set(), new Set(["z"])), undefined);
  assert.equal(refusedBefore(runs, new Set(["run 1"]), new Set(["y"])), undefined);
});

Deno.test("an accepted account begins anew: nothing of the other is compared with it", () => {
  const runs = [run(0, OLD), refused(1)];
  const of = (all: Run[], shown: object) =>
    baselineOf(all, new Set(["run 1"]), new Set(Object.keys(shown)), day(5)).recent.map((one) => one.run);
  assert.deepEqual(of(runs, NEW), []);
  assert.deepEqual(of([...runs, run(2, OLD), run(3, NEW)], NEW), ["run 3"]);
  assert.deepEqual(of([...runs, run(2, OLD), run(3, NEW)], OLD), ["run 2", "run 0"]);
});
