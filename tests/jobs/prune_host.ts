/** A backup host without a command line, whose nights go wrong in every way: for hundreds of short histories. */
import { z } from "zod";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { nextEntry } from "../../src/archive/chain.ts";
import { type ArchiveManifest, decodeManifest } from "../../src/archive/manifest.ts";
import { AppError } from "../../src/base/errors.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { Registry } from "../../src/config/registry.ts";
import { hostSigner } from "../../src/custody/signer.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import type { DestinationPlugin } from "../../src/destination/plugin.ts";
import { backup, type BackupResult } from "../../src/jobs/backup/backup.ts";
import type { JobContext } from "../../src/jobs/context.ts";
import { formatArchiveName } from "../../src/model/archive_name.ts";
import type { RetentionRules } from "../../src/policy/retention.ts";
import { memoryAccount, memorySource, sourceError } from "../stories/memory_source.ts";

export const DAY = 86_400_000;
export const PLACES = ["nas", "usb"] as const;
export type Place = typeof PLACES[number];

/** What goes wrong in a night. */
export interface Trouble {
  incomplete?: boolean;
  /** A destination that cannot be reached. */
  down?: Place;
  /** A destination whose list fails once the backup is there. */
  unlisted?: Place;
  /** The run is stopped at its first removal, when the record has been sent. */
  killed?: boolean;
}

const RECIPIENT = await identityToRecipient(await generateX25519Identity());

export class Host implements Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "vaultferry-histories-", dir: "/dev/shm" });
  readonly stored: Record<Place, Map<string, Uint8Array>> = { nas: new Map(), usb: new Map() };
  /** This host's clock. */
  now: Date;
  #trouble: Trouble = {};
  #control = new AbortController();
  /** Places whose lists fail from now on. */
  #unlisted: Place | undefined;

  constructor(readonly rules: RetentionRules, start: Date) {
    this.now = start;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }

  /** Names of the archives at a place. */
  archives(place: Place): string[] {
    return this.#names(place).filter((name) => name.endsWith(".age"));
  }

  /** The signed manifests at a place, whoever has signed them, by the archive's name. */
  manifests(place: Place): Map<string, ArchiveManifest> {
    const found = this.#names(place).filter((name) => name.endsWith(".manifest.json"));
    return new Map(found.map((name) => {
      const manifest = decodeManifest(this.stored[place].get(`acme/${name}`)!) as ArchiveManifest;
      return [manifest.archive.name, manifest];
    }));
  }

  /** What records that lie at a place, signed, say was removed there. */
  named(place: Place): string[] {
    const names = this.#names(place);
    return names.filter((name) => name.endsWith(".record.json") && names.includes(`${name}.sig`))
      .flatMap((name) => {
        const record = decodeManifest(this.stored[place].get(`acme/${name}`)!);
        return record.kind === "prune" && record.destination === place
          ? record.removes.map(({ archive }) => archive)
          : [];
      });
  }

  /** A backup, now; undefined where it was stopped. */
  async night(trouble: Trouble = {}): Promise<BackupResult | undefined> {
    this.#trouble = trouble;
    this.#unlisted = undefined;
    this.#control = new AbortController();
    try {
      return await backup(this.#context());
    } catch (error) {
      if (trouble.killed && this.#control.signal.aborted) return undefined;
      throw error;
    }
  }

  /** An archive that nobody has signed. */
  dropUnsigned(time: Date, nonce: string): string {
    const name = formatArchiveName({ job: "acme", time, nonce, compression: "zstd" });
    this.stored.nas.set(`acme/${name}`, new Uint8Array(500));
    return name;
  }

  /** An archive that is in order, but for the key that has signed it. */
  async dropStrangers(time: Date, nonce: string): Promise<string> {
    const [like] = this.manifests("nas").values();
    const body = new TextEncoder().encode(nonce.repeat(50));
    const name = formatArchiveName({ job: "acme", time, nonce, compression: "zstd" });
    const { sequence: _, previous: __, signer: ___, ...rest } = like!;
    const archive = { name, size: body.length, sha256: sha256Hex(body) };
    const draft = {
      ...rest,
      archive,
      time: time.toISOString(),
      receipts: { nas: [[1, 1]] as [number, number][] },
    };
    const chain = sha256Hex(body).slice(0, 32);
    const signer = await hostSigner(denoWorld(), `${this.#folder}/stranger`);
    const entry = await nextEntry<ArchiveManifest>(undefined, chain, draft, signer);
    const put = (part: string, bytes: Uint8Array) => this.stored.nas.set(`acme/${name}${part}`, bytes);
    put("", body);
    put(".sha256", new TextEncoder().encode(`${archive.sha256}  ${name}\n`));
    put(".manifest.json", entry.bytes);
    put(".manifest.json.sig", new TextEncoder().encode(entry.signature));
    return name;
  }

  #names(place: Place): string[] {
    return [...this.stored[place].keys()].map((key) => key.slice("acme/".length)).sort();
  }

  #context(): JobContext {
    const registry = this.#registry();
    const { jobs } = configSchema(registry).parse({
      version: 1,
      jobs: {
        acme: {
          source: { type: "memory" },
          recipients: [RECIPIENT],
          retention: this.rules,
          destinations: PLACES.map((name) => ({ name, type: name })),
        },
      },
    });
    const world = denoWorld(), state = `${this.#folder}/state`;
    return {
      world: {
        ...world,
        clock: {
          ...world.clock,
          now: () => new Date(this.now),
          sleep: (ms, signal) => world.clock.sleep(Math.min(ms, 20), signal),
        },
      },
      registry,
      job: jobs.acme!,
      signers: [],
      state,
      spool: state,
      tool: "vaultferry/0",
      emit: (event) => {
        if (
          event.event === "destination" && event.state === "read-back" &&
          event.destination === this.#trouble.unlisted
        ) {
          this.#unlisted = event.destination as Place;
        }
      },
      signal: this.#control.signal,
    };
  }

  #registry(): Registry {
    const account = memoryAccount();
    if (this.#trouble.incomplete) {
      const vault = account.vaults[0]!, { items } = vault;
      vault.items = async function* () {
        if (Array.isArray(items)) yield* items;
        throw await Promise.resolve(sourceError("unknown", "the list ends early"));
      };
    }
    const destinations = PLACES.map((name): DestinationPlugin => ({
      type: name,
      summary: "a destination in memory",
      config: z.strictObject({}),
      open: () => Promise.resolve(this.#place(name)),
    }));
    return { sources: [memorySource(account)], destinations };
  }

  #place(name: Place): MemoryDestination {
    return new MemoryDestination(name, this.stored[name], {
      before: (operation) => {
        if (this.#trouble.down === name) throw new AppError("denied", "it is locked away");
        if (operation === "list" && this.#unlisted === name) throw new AppError("denied", "no list today");
        if (operation === "remove" && this.#trouble.killed) {
          this.#control.abort(new AppError("cancelled", "stopped"));
        }
      },
    });
  }
}
