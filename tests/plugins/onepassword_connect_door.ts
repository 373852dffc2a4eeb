import assert from "node:assert/strict";
import { onepasswordConnect } from "../../plugins/sources/onepassword_connect/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import { Secret } from "../../src/base/secret.ts";
import type { World } from "../../src/base/world.ts";
import type { Item } from "../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../src/model/shortfall.ts";
import type { Vault } from "../../src/model/vault.ts";
import type { Source, Wanted } from "../../src/source/contract.ts";
import { type AccountDescription, type LocalService, startService } from "../service/mod.ts";
import { type ConnectOptions, ConnectServer } from "../service/connect/mod.ts";
import { filled } from "../stories/content.ts";

/** The Connect source as a job opens it, with what it says and how long it wants to wait. */
export interface Door {
  source: Source;
  warnings: string[];
  /** Pauses between tries, in milliseconds; it does not get them. */
  naps: number[];
}

export interface DoorOptions {
  token?: string;
  url?: string;
  /** Seconds. */
  timeout?: number;
  signal?: AbortSignal;
  /** Instead of the runtime's own. */
  fetch?: World["fetch"];
}

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal;

/** Opens the source at this server; rejects as the plugin does. */
export async function openDoor(connect: ConnectServer, options: DoorOptions = {}): Promise<Door> {
  const [warnings, naps]: [string[], number[]] = [[], []];
  const source = await onepasswordConnect.open(
    {
      url: options.url ?? connect.url,
      token: "env:TOKEN",
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    },
    {
      world: { ...impatient(naps), ...(options.fetch ? { fetch: options.fetch } : {}) },
      version: "0.0.1",
      secret: () => Promise.resolve(new Secret(options.token ?? connect.accepted ?? "")),
      warn: (message) => void warnings.push(message),
      privateFolder: () => Promise.reject(new Error("this source writes nothing")),
    },
    options.signal ?? never,
  );
  return { source, warnings, naps };
}

/** The real outside, whose pauses are short. */
function impatient(naps: number[]): World {
  const real = denoWorld();
  const sleep = (ms: number, signal: AbortSignal) => {
    naps.push(ms);
    return real.clock.sleep(Math.min(ms, 2), signal);
  };
  return { ...real, clock: { ...real.clock, sleep } };
}

/** A service and a Connect server with one account, and the source open at it. */
export interface Scene extends Door {
  service: LocalService;
  connect: ConnectServer;
  /** The first vault as the source lists it. */
  vault: Vault;
}

/** Sets the scene, and checks at the end that nothing is open and that all answers were as Connect describes them. */
export async function scene(
  account: AccountDescription,
  play: (scene: Scene) => Promise<void>,
  options: ConnectOptions & DoorOptions = {},
): Promise<void> {
  await using service = await startService(filled(account));
  await using connect = ConnectServer.start(service.account, options);
  const door = await openDoor(connect, options);
  await using _ = door.source;
  const [vault] = await door.source.vaults(never);
  if (!vault) throw new Error("the account has no vault");
  connect.requests.reset();
  await play({ ...door, service, connect, vault });
  await connect.requests.idle();
}

/** What a walk through a vault yielded, in order. */
export async function walk(
  source: Source,
  vault: Vault,
  wanted?: Wanted,
): Promise<{ items: Item[]; shortfalls: Shortfall[] }> {
  const [items, shortfalls]: [Item[], Shortfall[]] = [[], []];
  for await (const found of source.items(vault, never, wanted)) {
    if (isShortfall(found)) shortfalls.push(found);
    else items.push(found);
  }
  return { items, shortfalls };
}

/** Three items, one of them with a file: for tests in which something goes wrong. */
export const FAULTY: AccountDescription = {
  name: "Faulty",
  vaults: [{
    title: "V",
    items: [{ title: "one", files: [{ name: "file.txt", content: "content" }] }, { title: "two" }, {
      title: "three",
    }],
  }],
};

/** What a call ends with; it must fail. */
export async function failure(call: Promise<unknown>): Promise<AppError> {
  const error = await call.then(() => assert.fail("it succeeded"), (error: unknown) => error);
  assert.ok(error instanceof AppError, String(error));
  assert.equal(error.origin, error.code === "cancelled" ? undefined : "source");
  assert.match(error.message, /^[a-z]/);
  assert.doesNotMatch(error.message, /\.$/);
  return error;
}

/** The calls that a run makes, by the route that each needs. */
export const CALLS = {
  vaults: ({ source }: Scene) => source.vaults(never),
  items: ({ source, vault }: Scene) => walk(source, vault),
  content: async ({ source, vault }: Scene) => {
    const [item] = (await walk(source, vault)).items;
    const body = await source.open(item!, item!.files[0]!, never);
    return await new Response(body).text();
  },
};

/** A vault with this many items, `item 0` and so on. */
export function holding(items: number, archived = 0): AccountDescription {
  const named = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name} ${at}`);
  return {
    name: "Held",
    vaults: [
      {
        title: "V",
        items: [
          ...named("item", items).map((title) => ({ title })),
          ...named("old", archived).map((title) => ({ title, state: "archived" as const })),
        ],
      },
      { title: "Other", items: [{ title: "elsewhere" }] },
    ],
  };
}

/** What kind of things are lacking, in order. */
export function told(shortfalls: Shortfall[]): string[] {
  return shortfalls.map(({ shortfall, reason }) => `${shortfall} ${reason}`);
}
