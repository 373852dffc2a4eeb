/**
 * Every source against the one suite, with the same account behind each door.
 *
 * `CONFORMANCE_REQUIRED=onepux,onepassword-sdk` names doors that must be tried: one that is unknown, or that cannot
 * run on this machine, is then a failure instead of a test that was quietly left out.
 */
import assert from "node:assert/strict";
import { registry } from "../../plugins/mod.ts";
import { type ConformanceDoor, reasonsAgainst, sourceCases } from "../../src/source/conformance.ts";
import { memoryDoor } from "./harness_memory.ts";
import { patientDoor } from "./harness_patient.ts";
import { onepasswordCliDoor } from "./harness_onepassword_cli.ts";
import { onepasswordConnectDoor } from "./harness_onepassword_connect.ts";
import { onepasswordSdkDoor } from "./harness_onepassword_sdk.ts";
import { onepuxDoor } from "./harness_onepux.ts";

const doors: readonly ConformanceDoor[] = [
  memoryDoor,
  patientDoor,
  onepasswordSdkDoor,
  onepuxDoor,
  onepasswordCliDoor,
  onepasswordConnectDoor(),
  onepasswordConnectDoor("listed"),
  onepasswordConnectDoor("hidden"),
];

const ran = new Set<string>();

for (const door of doors) {
  const label = door.variant === undefined ? door.name : `${door.name} (${door.variant})`;
  for (const { name, needs, run } of sourceCases) {
    const against = reasonsAgainst(door, needs);
    Deno.test({
      name: against.length > 0 ? `${label}: ${name} (left out: ${against.join("; ")})` : `${label}: ${name}`,
      ignore: against.length > 0,
      async fn() {
        await run(door);
        ran.add(door.name);
      },
    });
  }
}

Deno.test("what a door lacks has a reason, and a case that would need it", () => {
  const needed = new Set<string>(sourceCases.flatMap(({ needs }) => needs));
  for (const { name, lacks } of doors) {
    for (const [need, reason] of Object.entries(lacks)) {
      assert.ok(needed.has(need), `${name} lacks "${need}", which no case needs`);
      assert.match(reason, /\w+ \w+ \w+/, `${name} lacks "${need}" without a reason`);
    }
  }
});

Deno.test("every case is tried at some door, and has a name of its own", () => {
  assert.equal(new Set(sourceCases.map(({ name }) => name)).size, sourceCases.length);
  for (const { name, needs } of sourceCases) {
    const tried = doors.some((door) => reasonsAgainst(door, needs).length === 0);
    assert.ok(tried, `"${name}" is tried nowhere`);
  }
});

/** What `required` asks for and did not get; the other suite's names are none of ours. */
function unmet(
  required: string | undefined,
  known: readonly string[],
  done: ReadonlySet<string>,
  others: readonly string[] = [],
): string[] {
  const names = (required ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const elsewhere = (name: string) => others.some((one) => name === one || name.startsWith(`${one}-`));
  return names.filter((name) => !elsewhere(name)).flatMap((name) => {
    if (!known.includes(name)) return [`"${name}" is no door of this suite: ${known}`];
    return done.has(name) ? [] : [`"${name}" was required and did not run`];
  });
}

Deno.test("CONFORMANCE_REQUIRED: every required door was tried", () => {
  // The last one is asked for where Connect's description is read.
  const others = [...registry.destinations.map(({ type }) => type), "connect-spec"];
  const known = doors.map(({ name }) => name);
  assert.deepEqual(unmet(Deno.env.get("CONFORMANCE_REQUIRED"), known, ran, others), []);
});

Deno.test("CONFORMANCE_REQUIRED: unknown and left-out doors are failures, destinations are not", () => {
  assert.deepEqual(unmet(undefined, ["a"], new Set()), []);
  assert.deepEqual(unmet("a, b,", ["a", "b"], new Set(["a", "b"])), []);
  assert.deepEqual(unmet("a,b", ["a", "b"], new Set(["a"])), ['"b" was required and did not run']);
  assert.deepEqual(unmet("A,local", ["a"], new Set(["a"]), ["local"]), ['"A" is no door of this suite: a']);
});

Deno.test("every source of the registry is tried", () => {
  const known = doors.map(({ name }) => name);
  assert.deepEqual(registry.sources.map(({ type }) => type).filter((type) => !known.includes(type)), []);
});
