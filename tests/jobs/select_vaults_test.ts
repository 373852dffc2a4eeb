import assert from "node:assert/strict";
import { selectVaults } from "../../src/jobs/backup/select_vaults.ts";
import { vaults as schema } from "../../src/config/vault_choice.ts";
import type { Vault, VaultKind } from "../../src/model/vault.ts";

function vault(id: string, title: string, kind: VaultKind = "created"): Vault {
  return { id, title, description: "", kind, raw: null };
}

const VAULTS = [
  vault("p", "Private", "personal"),
  vault("e", "Shared", "everyone"),
  vault("f", "Finance"),
  vault("f2", "Finance"),
  vault("t", "Moving", "transfer"),
];

/** Ids of the chosen vaults, and what else the choice says. */
function choose(wanted: Record<string, string[]>, vaults = VAULTS) {
  const { chosen, excluded, missing, warnings } = selectVaults(vaults, schema.parse(wanted));
  const ids = (some: Vault[]) => some.map(({ id }) => id).join(" ");
  assert.deepEqual(new Set([...chosen, ...excluded]), new Set(vaults));
  return { chosen: ids(chosen), missing: missing.map(({ vaultId }) => vaultId), warnings };
}

Deno.test("every vault is chosen where nothing is said", () => {
  assert.deepEqual(choose({}), { chosen: "p e f f2 t", missing: [], warnings: [] });
  assert.equal(selectVaults(VAULTS, undefined as never).chosen.length, 5);
});

Deno.test("vaults are included and excluded by id and by name, all of one name at once", () => {
  assert.equal(choose({ include: ["Finance"] }).chosen, "f f2");
  assert.equal(choose({ include: ["f2", "Private"] }).chosen, "p f2");
  assert.equal(choose({ exclude: ["Finance", "t"] }).chosen, "p e");
  assert.equal(choose({ include: ["Finance"], exclude: ["f"] }).chosen, "f2");
});

Deno.test("vaults are excluded by their kind, whatever they are called", () => {
  assert.deepEqual(choose({ exclude: ["kind:personal"] }), { chosen: "e f f2 t", missing: [], warnings: [] });
  assert.equal(choose({ exclude: ["kind:everyone", "kind:transfer", "Private"] }).chosen, "f f2");
  assert.equal(choose({ exclude: ["kind:created"] }).chosen, "p e t");
  assert.equal(choose({ include: ["Private", "Shared"], exclude: ["kind:personal"] }).chosen, "e");
  const employee = [
    vault("m", "Employee", "personal"),
    vault("n", "Personal", "personal"),
    vault("o", "Private"),
  ];
  assert.equal(choose({ exclude: ["kind:personal"] }, employee).chosen, "o");
});

Deno.test("a kind that no vault is of is nothing to be warned of", () => {
  assert.deepEqual(choose({ exclude: ["kind:personal"] }, [vault("f", "Finance")]).warnings, []);
});

Deno.test("a vault whose kind is not known is kept, and said to be", () => {
  const { chosen, warnings } = choose({ exclude: ["kind:personal"] }, [vault("x", "Private", "unknown")]);
  assert.equal(chosen, "x");
  assert.deepEqual(warnings, ['it is not known of what kind the vault "x" is, so no "kind:" excludes it']);
  assert.deepEqual(choose({ exclude: ["x"] }, [vault("x", "Private", "unknown")]).warnings, []);
});

Deno.test("a vault that is called like a kind is not taken for it in silence", () => {
  const odd = [vault("o", "kind:personal"), vault("p", "Private", "personal")];
  const { chosen, warnings } = choose({ exclude: ["kind:personal"] }, odd);
  assert.equal(chosen, "o");
  assert.deepEqual(warnings, ['the vault "o" is called "kind:personal": to exclude it, give its id']);
  assert.deepEqual(choose({ exclude: ["kind:personal", "o"] }, odd), {
    chosen: "",
    missing: [],
    warnings: [],
  });
});

Deno.test("vaults that are asked for and not there are gaps; those to be left out, warnings", () => {
  const { missing, warnings } = choose({
    include: ["Finance", "A"],
    expect: ["A", "B"],
    exclude: ["Sandbox"],
  });
  assert.deepEqual(missing, ["A", "B"]);
  assert.deepEqual(warnings, ['the vault "Sandbox" is to be excluded, but there is none of that name or id']);
});

Deno.test("kinds that do not exist, and kinds where only names count, are refused", () => {
  const problems = (wanted: unknown) =>
    schema.safeParse(wanted).error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`) ?? [];
  assert.deepEqual(problems({ exclude: ["kind:private"] }), [
    "exclude.0 is no kind of vault; there are kind:personal, kind:everyone, kind:created, kind:transfer",
  ]);
  for (const entry of ["kind:", "kind:Personal", "kind: personal", "kind:unknown", "kind:personal\n"]) {
    assert.equal(problems({ exclude: [entry] }).length, 1, entry);
  }
  for (const list of ["include", "expect"]) {
    assert.match(problems({ [list]: ["kind:personal"] })[0]!, /kinds can only be excluded/);
  }
  assert.deepEqual(problems({ exclude: ["Kind:personal", "kind", "my kind:personal"] }), []);
});
