import assert from "node:assert/strict";
import { expectation, noLongerSeen } from "../../src/policy/coverage.ts";

const vault = (id: string, title: string) => ({ id, title });
const FINANCE = vault("f", "Finance");
const TWIN = vault("f2", "Finance");
const SERVERS = vault("s", "Servers");

Deno.test("expected vaults are seen by id and by title, and each is named once", () => {
  assert.deepEqual(
    expectation(["Finance", "s", "Payroll", "Payroll"], [FINANCE, SERVERS], [FINANCE, SERVERS]),
    {
      seen: ["Finance", "s"],
      missing: ["Payroll"],
      leftOut: [],
    },
  );
  assert.deepEqual(expectation([], [FINANCE], []), { seen: [], missing: [], leftOut: [] });
});

Deno.test("an expected vault that is shown and not saved is missing all the same", () => {
  const left = { seen: [], missing: ["Finance"], leftOut: ["Finance"] };
  assert.deepEqual(expectation(["Finance"], [FINANCE, SERVERS], [SERVERS]), left);
  assert.deepEqual(expectation(["Finance"], [FINANCE, TWIN], [FINANCE]), left, "one of two of that title");
});

Deno.test("case and blanks are part of a title", () => {
  assert.deepEqual(expectation(["finance", "Finance "], [FINANCE], [FINANCE]).seen, []);
});

Deno.test("vaults that were shown before and are not any more", () => {
  assert.deepEqual(noLongerSeen(["a", "b"], ["b", "c"]), ["a"]);
  assert.deepEqual(noLongerSeen([], ["b"]), []);
});
