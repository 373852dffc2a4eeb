import { z } from "zod";
import type { VaultKind } from "../model/vault.ts";

/** Kinds of vaults that can be left out. */
const KINDS = ["personal", "everyone", "created", "transfer"] as const satisfies VaultKind[];

/** Everything that begins so is a kind, whatever vaults are called. */
const KIND = /^kind:(.*)$/s;

/** The kind that an entry of `exclude` stands for; undefined where it is an id or a name. */
export function excludedKind(entry: string): typeof KINDS[number] | undefined {
  const kind = KIND.exec(entry)?.[1];
  return KINDS.find((one) => one === kind);
}

const name = z.string().min(1).refine((name) => !KIND.test(name), {
  error: "is a kind, and kinds can only be excluded; a vault that is called so is named by its id",
});

const nameOrKind = z.string().min(1).refine((entry) => !KIND.test(entry) || excludedKind(entry), {
  error: `is no kind of vault; there are ${KINDS.map((kind) => `kind:${kind}`).join(", ")}`,
});

const listOf = (entry: z.ZodString, description: string) => z.array(entry).default([]).meta({ description });

/** Which vaults a job wants. */
export const vaults = z.strictObject({
  include: listOf(name, "vaults to back up, by id or name; none: every vault that can be seen"),
  exclude: listOf(
    nameOrKind,
    "vaults to leave out, by id, name or kind: kind:personal (Private, Personal, Employee), kind:everyone (the Shared " +
      "vault that an account begins with), kind:created, kind:transfer",
  ),
  expect: listOf(name, "vaults that must be there, by id or name: their absence is a gap"),
});
