import assert from "node:assert/strict";
import { onepasswordCli } from "../../plugins/sources/onepassword_cli/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { World } from "../../src/base/world.ts";
import type { Item } from "../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../src/model/shortfall.ts";
import type { Vault } from "../../src/model/vault.ts";
import type { Source, Wanted } from "../../src/source/contract.ts";
import type { SourceContext } from "../../src/source/plugin.ts";
import { Scratch } from "../base/scratch.ts";
import type { AccountDescription } from "../service/mod.ts";
import { LiveAccount } from "../service/account/live_account.ts";
import { type FakeOp, type Manners, type RunningFakeOp, startFakeOp } from "../service/op/mod.ts";
import { filled } from "../stories/content.ts";

export const { signal } = new AbortController();

export interface DoorOptions {
  /** With a service account token; else a person is signed in. */
  token?: boolean;
  manners?: Manners;
  /** Seconds. */
  timeout?: number;
  account?: string;
}

/** The source, opened on a fake `op` that holds an account. */
export class CliDoor implements AsyncDisposable {
  readonly warnings: string[] = [];
  /** Private folders that are still there. */
  readonly folders = new Set<string>();
  /** How many private folders there have been. */
  madeFolders = 0;
  readonly naps: number[] = [];

  private constructor(
    readonly scratch: Scratch,
    readonly op: RunningFakeOp,
    readonly options: DoorOptions,
  ) {}

  static async open(account: AccountDescription, options: DoorOptions = {}): Promise<CliDoor> {
    const scratch = await Scratch.make();
    const live = await LiveAccount.create(filled(account));
    const op = await startFakeOp({
      account: live,
      folder: scratch.path,
      ...(options.manners ? { manners: options.manners } : {}),
    });
    return new CliDoor(scratch, op, options);
  }

  get fake(): FakeOp {
    return this.op.fake;
  }

  /** Opens the source; `config` and `world` replace parts of what it is opened with. */
  async source(
    config: Record<string, unknown> = {},
    world: Partial<World> = {},
    stop: AbortSignal = signal,
  ): Promise<Source> {
    const { token, timeout, account } = this.options;
    return await onepasswordCli.open(
      {
        program: this.op.path,
        ...(token ? { token: "env:MADE_UP" } : {}),
        ...(timeout === undefined ? {} : { timeout }),
        ...(account === undefined ? {} : { account }),
        ...config,
      },
      this.context(world),
      stop,
    );
  }

  context(world: Partial<World> = {}): SourceContext {
    const real = denoWorld();
    return {
      world: {
        ...real,
        clock: {
          ...real.clock,
          sleep: (ms, signal) => {
            this.naps.push(ms);
            return real.clock.sleep(Math.min(ms, 10), signal);
          },
        },
        ...world,
      },
      version: "1.2.3",
      secret: () => Promise.resolve(new Secret(this.op.token)),
      warn: (message) => void this.warnings.push(message),
      privateFolder: async () => {
        const path = await Deno.makeTempDir({ dir: this.scratch.path, prefix: "private-" });
        assert.equal((await Deno.stat(path)).mode! & 0o777, 0o700);
        this.folders.add(path);
        this.madeFolders++;
        return {
          path,
          [Symbol.asyncDispose]: async () => {
            await Deno.remove(path, { recursive: true });
            this.folders.delete(path);
          },
        };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.op[Symbol.asyncDispose]();
    const { token } = this.op;
    for (const { argv } of this.fake.calls.log) {
      for (const word of argv) assert.ok(!word.includes(token) && !word.includes("ops_"), "a secret in argv");
    }
    assert.deepEqual([...this.folders], [], "private folders that were not wiped");
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** A vault by its title, as the source lists it. */
export async function vaultOf(source: Source, title: string): Promise<Vault> {
  const vault = (await source.vaults(signal)).find((one) => one.title === title);
  assert.ok(vault, `there is no vault ${title}`);
  return vault;
}

/** Everything that a walk yields. */
export async function walk(
  source: Source,
  vault: Vault,
  wanted?: Wanted,
): Promise<{ items: Item[]; shortfalls: Shortfall[] }> {
  const items: Item[] = [];
  const shortfalls: Shortfall[] = [];
  for await (const found of source.items(vault, signal, wanted)) {
    if (isShortfall(found)) shortfalls.push(found);
    else items.push(found);
  }
  return { items, shortfalls };
}

/** Shortfalls as a few words each. */
export function words(shortfalls: readonly Shortfall[]): string[] {
  return shortfalls.map(({ shortfall, reason, itemId }) =>
    [shortfall, reason, itemId].filter(Boolean).join(" ")
  );
}
