import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { EXIT, exitCodeOf, worst } from "../../src/cli/exit_code.ts";

Deno.test("of several exit codes the most serious counts, in the order that is promised", () => {
  // DESIGN.md "Exit codes"; README.md has it for people.
  const order = [130, 15, 2, 13, 14, 1, 12, 11, 75, 4, 3, 10, 0];
  for (const [index, worse] of order.entries()) {
    for (const better of order.slice(index)) {
      assert.equal(worst([better, worse]), worse);
      assert.equal(worst([worse, better, better]), worse);
    }
  }
  assert.equal(worst([143, 15]), 143);
  assert.equal(worst([]), EXIT.ok);
});

Deno.test("the README's table names every exit code and no other", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const table = readme.slice(
    readme.indexOf("## Exit codes"),
    readme.indexOf("Of several the most serious counts"),
  );
  const named = [...table.matchAll(/^\| ([\d, ]+?) +\|/gm)].flatMap((row) => row[1]!.split(", ").map(Number));
  assert.deepEqual(named.sort((a, b) => a - b), Object.values(EXIT).sort((a, b) => a - b));
});

Deno.test("every error has the exit code that scripts rely on", () => {
  const expected: Record<ErrorCode, number> = {
    "not-found": 10,
    "already-exists": 1,
    denied: 1,
    misconfigured: 2,
    transient: 75,
    unsupported: 1,
    corrupt: 15,
    cancelled: 130,
    quota: 14,
    locked: 11,
    "wrong-identity": 12,
    untrusted: 15,
    unknown: 1,
  };
  for (const [code, exit] of Object.entries(expected)) {
    assert.equal(exitCodeOf(new AppError(code as ErrorCode, "x")), exit);
  }
  assert.equal(exitCodeOf(new AppError("denied", "x", { origin: "source" })), 13);
  assert.equal(exitCodeOf(new AppError("denied", "x", { origin: "destination" })), 1);
  assert.equal(exitCodeOf(new AppError("quota", "x", { origin: "source" })), 14);
  assert.equal(exitCodeOf(new AppError("quota", "no room", { origin: "destination" })), 1);
});
