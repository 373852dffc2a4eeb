import { streamFrom, streamOf } from "../../src/base/bytes.ts";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import type { Item } from "../../src/model/item.ts";
import { isShortfall } from "../../src/model/shortfall.ts";
import type { ConformanceDoor, FaultKind, FaultName, FaultOptions } from "../../src/source/conformance.ts";
import {
  type SeededAccount,
  seededBody,
  type SeededItem,
  type SeededVault,
} from "../../src/source/conformance/account.ts";
import { type MemoryAccount, MemorySource, type MemoryVault } from "../../src/source/memory.ts";

/** The in-memory reference: gives everything as it is, and can suffer every fault. */
export const memoryDoor: ConformanceDoor = {
  name: "memory",
  lacks: {
    revocation: "the reference signs in once, and never again",
    retries: "the reference gives up at once: patience belongs to a door with a network",
  },
  archived: "contents",
  vaultKind: (kind) => kind,
  category: (category) => category,
  field: ({ kind, value, parts }, section) => ({
    kind,
    value,
    section,
    ...(parts ? { details: { type: "Address", content: parts } } : {}),
  }),
  start: (account) => Promise.resolve(new MemoryHarness(account)),
};

/** Errors as the real doors translate them. */
const ERRORS: Partial<Record<FaultKind, [ErrorCode, string]>> = {
  refused: ["denied", "1Password refuses that"],
  unreachable: ["transient", "cannot reach 1Password: connection reset"],
  quota: ["quota", "1Password's quota is used up"],
  garbage: ["corrupt", "the answer makes no sense"],
  blank: ["corrupt", "the answer is empty"],
  cut: ["corrupt", "the answer was cut off"],
  "missing-from-answer": ["unknown", "1Password does not give it"],
};

interface ActiveFault {
  name: FaultName;
  options: FaultOptions;
  strikes: number;
}

class MemoryHarness {
  readonly account = { id: "account", name: "Sample" };
  readonly said: string[] = [];
  readonly secrets = ["made-up-memory-token"];
  readonly #held: MemoryAccount;
  readonly #faults: ActiveFault[] = [];
  #signIns = 0;
  #calls = 0;
  readonly #fetched: string[] = [];

  constructor(seed: SeededAccount) {
    this.#held = {
      account: this.account,
      vaults: seed.vaults.map(vaultOf),
      body: ({ vaultId, id: itemId }, { name, size }) => {
        const bytes = seededBody({ name, size });
        if (this.#strike("file wrong-size", vaultId, itemId)) return bytes.subarray(1);
        if (this.#strike("file cut", vaultId, itemId)) return cutOff(bytes);
        return bytes;
      },
    };
  }

  open(): Promise<MemorySource> {
    return Promise.resolve(
      new MemorySource("memory", this.#held, {
        before: (call, about) => {
          this.#calls++;
          if (call === "sign-in") this.#signIns++;
          if (call === "items") this.#fetched.push(about.itemId ?? "");
          return this.#before(call, about.vaultId, about.itemId);
        },
        leavesOut: (call, itemId) =>
          this.#strike(`${call} missing-from-answer`, undefined, itemId) ||
          (call === "list" && this.#strike("list empty-list", undefined, itemId)),
      }),
    );
  }

  fault(name: FaultName, options: FaultOptions) {
    const fault = { name, options, strikes: 0 };
    this.#faults.push(fault);
    return { strikes: () => fault.strikes };
  }

  counted() {
    return { signIns: this.#signIns, calls: this.#calls, fetched: [...this.#fetched] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #before(call: string, vaultId?: string, itemId?: string): void | Promise<void> {
    for (const [kind, error] of Object.entries(ERRORS)) {
      const name = `${call} ${kind}` as FaultName;
      // Those of lists and items leave something out instead, and half a body is begun.
      if (name === "file cut" || (kind === "missing-from-answer" && call !== "file")) continue;
      if (this.#strike(name, vaultId, itemId)) throw new AppError(...error);
    }
    const items = this.#held.vaults.find(({ vault }) => vault.id === vaultId)?.items ?? [];
    const at = items.findIndex((one) => !isShortfall(one) && one.id === itemId);
    const strikes = (kind: FaultKind) => this.#strike(`${call} ${kind}` as FaultName, vaultId, itemId);
    if (strikes("gone-meanwhile")) items.splice(at, 1);
    if (strikes("archived-meanwhile")) items[at] = { ...items[at] as Item, state: "archived" };
    if (strikes("vault-gone")) {
      this.#held.vaults = this.#held.vaults.filter(({ vault }) => vault.id !== vaultId);
    }
    return strikes("slow") ? new Promise(() => {}) : undefined;
  }

  /** Whether such a fault strikes now, which counts. */
  #strike(name: FaultName, vaultId: string | undefined, itemId: string | undefined): boolean {
    const fault = this.#faults.find((one) => {
      const { options } = one;
      const elsewhere = vaultId !== undefined && options.vaultId !== undefined && options.vaultId !== vaultId;
      const another = options.itemId !== undefined && options.itemId !== itemId;
      return one.name === name && !elsewhere && !another && one.strikes < (options.times ?? Infinity);
    });
    if (fault) fault.strikes++;
    return fault !== undefined;
  }
}

function vaultOf({ items, ...seed }: SeededVault): MemoryVault {
  return { vault: { ...seed, raw: seed }, items: items.map((item) => itemOf(seed.id, item)) };
}

function itemOf(vaultId: string, seed: SeededItem): Item {
  const { id, title, category, state, tags, urls, notes, favourite, passwordHistory, createdAt, updatedAt } =
    seed;
  const sectionOf = (wanted?: string) => seed.sections.find((section) => section.title === wanted)?.id;
  const fields = [
    ...seed.fields.map((field) => ({ field, sectionId: undefined })),
    ...seed.sections.flatMap(({ id, fields }) => fields.map((field) => ({ field, sectionId: id }))),
  ];
  return {
    id,
    vaultId,
    title,
    category,
    state,
    contents: "full",
    favourite,
    tags: [...tags],
    urls: [...urls],
    notes,
    sections: seed.sections.map(({ id, title }) => ({ id, title })),
    fields: fields.map(({ field: { parts, ...field }, sectionId }) => ({
      ...field,
      ...(sectionId === undefined ? {} : { sectionId }),
      ...(parts ? { details: { type: "Address", content: parts } } : {}),
    })),
    files: seed.files.map(({ section, ...file }, at) => ({
      ...file,
      id: `${id}-file${at}`,
      ...(section === undefined ? {} : { sectionId: sectionOf(section)! }),
    })),
    passwordHistory: [...passwordHistory],
    createdAt,
    updatedAt,
    raw: seed,
  };
}

/** Half of it, and then an error. */
function cutOff(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const half = streamOf(bytes.subarray(0, bytes.length / 2)).getReader();
  const reader = {
    read: async () => {
      const next = await half.read();
      if (!next.done) return next;
      throw new AppError("transient", "cannot reach 1Password: the connection ended", { origin: "source" });
    },
    cancel: () => half.cancel(),
  };
  return streamFrom(reader as ReadableStreamDefaultReader<Uint8Array>);
}
