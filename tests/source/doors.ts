/** What the tests of combined doors share: doors in memory that write down what they were asked. */
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { CombinedSource } from "../../src/source/combined/source.ts";
import { Door } from "../../src/source/combined/door.ts";
import { type MemoryHooks, MemorySource } from "../../src/source/memory.ts";
import type { Item, ItemFile } from "../../src/model/item.ts";
import { type DoorLimit, isShortfall, type Shortfall } from "../../src/model/shortfall.ts";
import type { Account, Vault } from "../../src/model/vault.ts";

export const signal = new AbortController().signal;

export const MONDAY = "2026-03-02T10:00:00Z";
export const TUESDAY = "2026-03-03T10:00:00Z";

export type Contents = (Item | Shortfall)[];

export interface DoorOptions {
  name?: string;
  snapshot?: boolean;
  limits?: DoorLimit[];
  account?: Account;
  before?: MemoryHooks["before"];
  leavesOut?: MemoryHooks["leavesOut"];
  body?(item: Item, file: ItemFile): Uint8Array;
}

/** A door, and what it was asked: `vaults`, `list v1`, `items a`, `file a`. */
export interface TestDoor {
  source: MemorySource & { snapshot?: boolean };
  options: DoorOptions;
  asked: string[];
}

export function doorTo(vaults: Record<string, Contents>, options: DoorOptions = {}): TestDoor {
  const asked: string[] = [];
  const account = {
    ...(options.account ? { account: options.account } : {}),
    vaults: Object.entries(vaults).map(([id, items]) => ({ vault: vaultOf(id), items })),
    body: options.body ?? ((item: Item) => new TextEncoder().encode(`${item.id} by ${options.name}`)),
  };
  const source: TestDoor["source"] = new MemorySource(options.name ?? "memory", account, {
    before: (call, about) => {
      const { vaultId, itemId } = about;
      if (call !== "sign-in") asked.push([call, itemId ?? vaultId].filter(Boolean).join(" "));
      return options.before?.(call, about);
    },
    ...(options.leavesOut ? { leavesOut: options.leavesOut } : {}),
  });
  source.limits.push(...options.limits ?? []);
  if (options.snapshot) source.snapshot = true;
  return { source, options, asked };
}

/** The doors as a job opens them; `warnings` fills while they are used. */
export async function combine(...doors: TestDoor[]): Promise<{ source: CombinedSource; warnings: string[] }> {
  const [main, ...others] = doors.map(({ source, options }, at) =>
    new Door(source.name, source, at === 0, options.account)
  );
  const warnings: string[] = [];
  const source = new CombinedSource(main!, others, (message) => warnings.push(message));
  await source.vaults(signal);
  return { source, warnings };
}

export interface Walked {
  items: Item[];
  shortfalls: Shortfall[];
  /** What the walk ended with. */
  error?: unknown;
}

/** A whole walk through one vault. */
export async function walk(source: CombinedSource, vaultId = "v1", until = signal): Promise<Walked> {
  const walked: Walked = { items: [], shortfalls: [] };
  try {
    for await (const found of source.items(vaultOf(vaultId), until)) {
      if (isShortfall(found)) walked.shortfalls.push(found);
      else walked.items.push(found);
    }
  } catch (error) {
    walked.error = error;
  }
  return walked;
}

/** Combines doors and walks through `v1`; throws what the walk throws. */
export async function walkBy(...doors: TestDoor[]): Promise<Walked & { by: Record<string, string> }> {
  const { source } = await combine(...doors);
  const walked = await walk(source);
  if (walked.error) throw walked.error;
  const by = Object.fromEntries(walked.items.map((item) => [item.id, source.doorOfItem(item)]));
  return { ...walked, by };
}

export function vaultOf(id: string): Vault {
  return { id, title: `title of ${id}`, description: "", kind: "created", raw: { id } };
}

export function full(id: string, changes: Partial<Item> = {}): Item {
  return {
    id,
    vaultId: "v1",
    title: `title of ${id}`,
    category: "Login",
    state: "active",
    contents: "full",
    tags: [],
    urls: [],
    notes: "",
    sections: [],
    fields: [{ id: "password", title: "password", kind: "Concealed", value: `made-up-${id}` }],
    files: [],
    updatedAt: MONDAY,
    raw: { id },
    ...changes,
  };
}

/** An archived item that its door lists only, and the limit that goes with it. */
export function listed(id: string, changes: Partial<Item> = {}): Contents {
  const item = full(id, { state: "archived", contents: "overview", fields: [], ...changes });
  return [item, limit(id, "archived-contents")];
}

/** An item with a field that its door does not give. */
export function unsupported(id: string, changes: Partial<Item> = {}): Contents {
  return [full(id, changes), limit(id, "unsupported-field")];
}

export function limit(itemId: string, reason: Shortfall["reason"]): Shortfall {
  return { shortfall: "limit", reason, vaultId: "v1", itemId, detail: `this door does not give ${itemId}` };
}

export function gap(itemId: string): Shortfall {
  const detail = `${itemId} could not be read`;
  return { shortfall: "gap", reason: "unreadable-item", vaultId: "v1", itemId, detail };
}

export function moved(itemId: string): Shortfall {
  return { shortfall: "moved", reason: "deleted-meanwhile", vaultId: "v1", itemId, detail: "it is gone" };
}

/** Reasons by item, `*` for what is about no item. */
export function reasons({ shortfalls }: Walked): string[] {
  return shortfalls.map(({ shortfall, reason, itemId = "*" }) => `${shortfall} ${reason} ${itemId}`).sort();
}

/** An error as a door translates it. */
export function failing(code: ErrorCode, message = "it cannot be reached"): AppError {
  return new AppError(code, message, { origin: "source" });
}
