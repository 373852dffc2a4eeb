/** What the tests of the Azure destination share: a container at Azurite, and openings of the destination "cloud" at it. */
import assert from "node:assert/strict";
import { azureBlob } from "../../plugins/destinations/azure_blob/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { type AppError, type ErrorCode, isAppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import type { World } from "../../src/base/world.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { Immutability } from "../servers/azurite/immutability.ts";
import { ACCOUNT, Azurite, type SasOptions } from "../servers/azurite/server.ts";
import { HttpFaults } from "../servers/http_faults.ts";

export const MIB = 1024 * 1024;
export const KEY = "acme/archive.age";
export const NAME = `backups/${KEY}`;
export const SMALL = sample(100_000);
/** Three blocks. */
export const LARGE = sample(20 * MIB + 1);

let azurite: Azurite | undefined;

/** One Azurite for all tests of a file: call it at the top of the file. */
export function useAzurite(): void {
  Deno.test.beforeAll(async () => void (azurite = await Azurite.start()));
  Deno.test.afterAll(async () => await azurite?.[Symbol.asyncDispose]());
}

/** A container, and what stands before it: locks, then faults, which all requests of the destination go through. */
export class Place implements AsyncDisposable {
  readonly warnings: string[] = [];
  /** Everything that was configured as a secret so far. */
  readonly secrets = new Set<string>();
  readonly #opened: Destination[] = [];

  private constructor(
    readonly azurite: Azurite,
    readonly container: string,
    readonly locks: Immutability,
    readonly way: HttpFaults,
  ) {}

  static async start(): Promise<Place> {
    assert.ok(azurite, "useAzurite() was not called");
    const locks = await Immutability.start(azurite.port);
    return new Place(azurite, await azurite.container(), locks, await HttpFaults.start(locks.port));
  }

  sas(options?: SasOptions): string {
    return this.azurite.sas(this.container, options);
  }

  get endpoint(): string {
    return this.azurite.endpoint(this.way.port);
  }

  /** Opens the destination "cloud" with a signature of this container; waiting lasts a hundredth of what it should. */
  async open(
    settings: Record<string, unknown> = {},
    secret = this.sas(),
    world: Partial<World> = {},
  ): Promise<Destination> {
    const parts = [...secret.matchAll(/(?:\bsig|AccountKey|SharedAccessSignature)=([^&;]*=*)/g)].map((
      [, text],
    ) => text!);
    for (const text of [secret, ...parts].filter(({ length }) => length > 8)) {
      this.secrets.add(text).add(decodeURIComponent(text));
    }
    const given = {
      ...{ account: ACCOUNT, container: this.container, prefix: "backups/", endpoint: this.endpoint },
      ...{ sas: "env:SECRET", ...settings },
    };
    const left = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const opened = await azureBlob.open("cloud", left, {
      world: { ...denoWorld(), clock: hurried(100), ...world },
      secret: () => Promise.resolve(new Secret(secret)),
      warn: (message) => void this.warnings.push(message),
    }, never);
    this.#opened.push(opened);
    return opened;
  }

  /** What was asked since the last call, as `METHOD comp`. */
  operations(): string[] {
    return this.way.asked.splice(0).map(({ method, url }) => {
      const query = new URL(url, "http://azurite").searchParams;
      return [method, query.get("restype"), query.get("comp")].filter((one) => one).join(" ");
    });
  }

  /** What is stored under a name in the container. */
  async holds(bytes: Uint8Array, name = NAME): Promise<void> {
    const stored = await this.azurite.stored(this.container, name);
    assert.ok(stored, `there is no ${name}`);
    assert.equal(sha256Hex(stored), sha256Hex(bytes));
  }

  async holdsNothing(): Promise<void> {
    assert.deepEqual(await this.azurite.names(this.container), []);
  }

  /** The error of `call`, which must be one of the destination "cloud" with this code, sentence and hint. */
  async fails(call: Promise<unknown>, code: ErrorCode, sentence = /./, hint?: RegExp): Promise<AppError> {
    const error = await call.then(() => assert.fail("no error"), (error) => error);
    assert.ok(isAppError(error), error);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /^destination "cloud": [^A-Z]/);
    assert.match(error.message, sentence);
    if (hint) assert.match(error.hint ?? "", hint);
    assert.equal(error.origin, "destination");
    for (const secret of this.secrets) {
      for (const text of [error.message, error.hint ?? ""]) {
        assert.ok(!text.includes(secret) && !text.includes(encodeURIComponent(secret)), "a secret is told");
      }
    }
    return error;
  }

  async [Symbol.asyncDispose]() {
    for (const one of this.#opened) await one[Symbol.asyncDispose]();
    await this.way[Symbol.asyncDispose]();
    await this.locks[Symbol.asyncDispose]();
  }
}

export function put(destination: Destination, bytes: Uint8Array = SMALL, key = KEY, immutableUntil?: Date) {
  return destination.put(key, bodyOf(bytes), never, { immutableUntil });
}

/** An answer of Azure that refuses. */
export function refusing(
  status: number,
  code: string,
  message = "No.",
  headers: Record<string, string> = {},
) {
  return {
    do: "answer" as const,
    status,
    headers: {
      "content-type": "application/xml",
      "x-ms-error-code": code,
      "x-ms-request-id": "made-up",
      ...headers,
    },
    body:
      `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}
