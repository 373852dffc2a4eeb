/** What the tests of the S3 destination share: a strict server, and openings of the destination "cloud" at it. */
import assert from "node:assert/strict";
import { s3 } from "../../plugins/destinations/s3/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { type AppError, type ErrorCode, isAppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Clock } from "../../src/base/world.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import type { Destination } from "../../src/destination/contract.ts";
import type { Member } from "../servers/s3/rights.ts";
import { S3Server, type S3ServerOptions } from "../servers/s3/server.ts";
import { Bucket } from "../servers/s3/store.ts";

export const MIB = 1024 * 1024;
export const KEY = "acme/archive.age";
export const NAME = `backups/${KEY}`;
export const SMALL = sample(100_000);
/** Three parts. */
export const LARGE = sample(20 * MIB + 1);
export const MEMBER: Member = {
  accessKeyId: "AKIAMADEUPMADEUPMADE",
  secretAccessKey: "made-up-secret/0123456789+abcdef",
};

export class Place implements AsyncDisposable {
  readonly warnings: string[] = [];
  readonly #opened: Destination[] = [];

  private constructor(readonly server: S3Server) {}

  /** A server with the buckets `plain`, `versioned` and `locked`. */
  static async start(options: Partial<S3ServerOptions> = {}): Promise<Place> {
    const buckets = [new Bucket("plain"), new Bucket("versioned", true), new Bucket("locked", true, true)];
    return new Place(await S3Server.start({ members: [MEMBER], buckets, page: 3, ...options }));
  }

  bucket(name = "plain"): Bucket {
    return this.server.buckets.get(name) ?? assert.fail(name);
  }

  /** Opens the destination "cloud"; waiting lasts a hundredth of what it should. */
  async open(
    settings: Record<string, unknown> = {},
    clock: Clock = hurried(100),
    member = MEMBER,
  ): Promise<Destination> {
    const given = {
      bucket: "plain",
      prefix: "backups/",
      endpoint: this.server.url,
      accessKeyId: member.accessKeyId,
      secretAccessKey: "env:SECRET",
      ...(member.sessionToken === undefined ? {} : { sessionToken: "env:TOKEN" }),
      ...settings,
    };
    const secret = (reference: unknown) => {
      const value = reference === "env:TOKEN" ? member.sessionToken! : member.secretAccessKey;
      return Promise.resolve(new Secret(value));
    };
    const world = { ...denoWorld(), clock };
    const warn = (message: string) => void this.warnings.push(message);
    const left = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const opened = await s3.open("cloud", left, { world, secret, warn }, never);
    this.#opened.push(opened);
    return opened;
  }

  /** What is stored under a name in the bucket. */
  holds(bytes: Uint8Array, name = NAME, bucket = "plain"): void {
    const stored = this.bucket(bucket).current(name)?.bytes;
    assert.ok(stored, `there is no ${name}`);
    assert.equal(sha256Hex(stored), sha256Hex(bytes));
  }

  holdsNothing(bucket = "plain"): void {
    assert.deepEqual(this.bucket(bucket).keys(""), []);
    assert.equal(this.bucket(bucket).uploads.size, 0, "an upload was left");
  }

  async [Symbol.asyncDispose]() {
    for (const one of this.#opened) await one[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

export function put(destination: Destination, bytes: Uint8Array = SMALL, key = KEY) {
  return destination.put(key, bodyOf(bytes), never);
}

/** The error of `call`, which must be one of the destination "cloud" with this code, sentence and hint. */
export async function fails(
  call: Promise<unknown>,
  code: ErrorCode,
  sentence: RegExp = /./,
  hint?: RegExp,
): Promise<AppError> {
  const error = await call.then(() => assert.fail("no error"), (error) => error);
  assert.ok(isAppError(error), error);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^destination "cloud": [^A-Z]/);
  assert.match(error.message, sentence);
  if (hint) assert.match(error.hint ?? "", hint);
  assert.equal(error.origin, "destination");
  for (const secret of [MEMBER.secretAccessKey, encodeURIComponent(MEMBER.secretAccessKey)]) {
    assert.ok(!`${error.message} ${error.hint}`.includes(secret));
  }
  return error;
}
