import { headOf, type SignedManifest } from "../../archive/chain.ts";
import { nameOf } from "../../archive/manifest.ts";
import type { JobContext } from "../context.ts";
import type { Catalog } from "./catalog.ts";
import { removedAt } from "./removed.ts";

/** What one destination shows. */
export interface Shelf {
  destination: string;
  catalog: Catalog;
  /** Archives that a signed record says were removed there. */
  pruned: ReadonlySet<string>;
}

/** What the state of this host knows of its own chain; nothing on another computer. */
export interface OwnChain {
  entries: readonly SignedManifest[];
}

/** An entry that a trusted key has signed, and who shows it. */
export interface Known {
  entry: SignedManifest;
  hash: string;
  name: string;
  /** Names of the destinations that show it. */
  at: Set<string>;
  /** Whether this host's own state has it. */
  own: boolean;
}

/** All entries of trusted keys, wherever they are, by their place: more than one at a place is a fork. */
export class KnownEntries {
  readonly #at = new Map<string, Known[]>();
  readonly #byHash = new Map<string, Known>();

  constructor(shelves: readonly Omit<Shelf, "pruned">[], own: OwnChain) {
    for (const entry of own.entries) this.#add(entry).own = true;
    for (const { destination, catalog } of shelves) {
      for (const { entry } of [...catalog.archives, ...catalog.records]) {
        if (entry) this.#add(entry).at.add(destination);
      }
    }
  }

  /** Those with this number of this chain. */
  at(chain: string, sequence: number): readonly Known[] {
    return this.#at.get(`${chain} ${sequence}`) ?? [];
  }

  /** The archives that records of trusted keys, wherever they lie, say were removed at this destination. */
  prunedAt(context: JobContext, destination: string): Set<string> {
    return new Set(
      this.all().flatMap(({ entry, at }) => removedAt(context, destination, entry, at.has(destination))),
    );
  }

  byHash(hash: string): Known | undefined {
    return this.#byHash.get(hash);
  }

  all(): Known[] {
    return [...this.#byHash.values()];
  }

  #add(entry: SignedManifest): Known {
    const { chain, sequence, hash } = headOf(entry);
    const found = this.#byHash.get(hash);
    if (found) return found;
    const known: Known = { entry, hash, name: nameOf(entry.manifest), at: new Set(), own: false };
    this.#byHash.set(hash, known);
    this.#at.set(`${chain} ${sequence}`, [...this.at(chain, sequence), known]);
    return known;
  }
}
