import assert from "node:assert/strict";
import type { Vault, VaultKind } from "../../src/model/vault.ts";
import { compareAccess } from "../../src/policy/access.ts";

const vault = (title: string, kind: VaultKind = "created", id = title.toLowerCase()): Vault => ({
  ...{ id, title, kind, description: "", raw: {} },
});

const ALL = [
  vault("Sandbox"),
  vault("Private", "personal"),
  vault("Servers"),
  vault("Shared", "everyone"),
  vault("Finance"),
];

function compared(seen: readonly Vault[], serviceAccount = true, all: readonly Vault[] = ALL) {
  const wants = ({ title }: Vault) => title !== "Sandbox";
  return compareAccess({ all, seen, wants, serviceAccount })
    .map(({ vault, reach, grantable }) => `${vault.title} ${reach}${grantable ? "" : " (not grantable)"}`);
}

Deno.test("every vault is covered, missing, excluded or beyond; those that are missing first, then by title", () => {
  assert.deepEqual(compared([ALL[4]!]), [
    "Servers missing",
    "Finance covered",
    "Sandbox excluded",
    "Private beyond",
    "Shared beyond",
  ]);
});

Deno.test("whoever signs in as a person may see personal vaults, so their absence is one", () => {
  assert.deepEqual(compared([ALL[1]!, ALL[2]!, ALL[4]!], false), [
    "Shared missing",
    "Finance covered",
    "Private covered",
    "Servers covered",
    "Sandbox excluded",
  ]);
});

Deno.test("a vault of an unknown kind is not excused", () => {
  assert.deepEqual(compared([], true, [vault("Odd", "unknown"), vault("Old", "transfer")]), [
    "Odd missing",
    "Old missing",
  ]);
});

Deno.test("what only the backup sees is covered, and nothing that the administrator could grant", () => {
  assert.deepEqual(compared([vault("Board")], true, [ALL[2]!]), [
    "Servers missing",
    "Board covered (not grantable)",
  ]);
});

Deno.test("vaults of one title are told apart", () => {
  const twins = [vault("Twin", "created", "b"), vault("Twin", "created", "a")];
  const found = compareAccess({ all: twins, seen: [twins[0]!], wants: () => true, serviceAccount: true });
  assert.deepEqual(found.map(({ vault, reach }) => [vault.id, reach]), [["a", "missing"], ["b", "covered"]]);
});
