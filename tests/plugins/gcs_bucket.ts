/** A bucket on a server of this process, and openings of it, for the tests of the plugin. */
import assert from "node:assert/strict";
import { gcs } from "../../plugins/destinations/gcs/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { isAppError } from "../../src/base/errors.ts";
import type { AppError, ErrorCode } from "../../src/base/errors.ts";
import type { World } from "../../src/base/world.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import type { Destination } from "../../src/destination/contract.ts";
import type { DestinationContext } from "../../src/destination/plugin.ts";
import { resolveSecret } from "../../src/host/secrets.ts";
import type { Permission } from "../servers/gcs/identity.ts";
import { GcsServer } from "../servers/gcs/server.ts";

export const KEY = "acme/acme_20260101T000000Z_01234567.tar.zst.age";

/** Bytes that a session keeps even when a request is cut. */
export const UNIT = 256 * 1024;

export class GcsPlace implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "vaultferry-gcs-" });
  readonly warnings: string[] = [];
  /** What the environment holds; nothing of the real one. */
  readonly env: Record<string, string> = { HOME: this.folder };
  readonly #opened: Destination[] = [];

  private constructor(readonly server: GcsServer) {}

  static async start(tls?: { cert: string; key: string }): Promise<GcsPlace> {
    return new GcsPlace(await GcsServer.start(tls));
  }

  get address(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  /** The path of a new key file of an account that may do this. */
  keyFile(may?: readonly Permission[], tokens = this.address): string {
    return this.write("key.json", JSON.stringify(this.server.identity.account(tokens, may)));
  }

  write(name: string, text: string, mode = 0o600): string {
    const path = `${this.folder}/${name}`;
    Deno.writeTextFileSync(path, text, { mode });
    Deno.chmodSync(path, mode);
    return path;
  }

  /** Opens the bucket, with a fresh key file unless `settings` say otherwise, on a clock that hurries. */
  async open(settings: Record<string, unknown> = {}, world: Partial<World> = {}): Promise<Destination> {
    const keyFile = "keyFile" in settings ? {} : { keyFile: this.keyFile() };
    return await this.openAs({ ...keyFile, ...settings }, world);
  }

  /** The same, with exactly these credentials, or none. */
  async openAs(settings: Record<string, unknown>, world: Partial<World> = {}): Promise<Destination> {
    const whole: World = {
      ...denoWorld(),
      clock: hurried(50),
      env: (name) => this.env[name],
      ...world,
    };
    const warn = (message: string) => void this.warnings.push(message);
    const context: DestinationContext = {
      world: whole,
      secret: (reference, signal) => resolveSecret(whole, reference, warn, signal),
      warn,
    };
    const config = gcs.config.parse({ bucket: "acme", endpoint: this.address, ...settings });
    const opened = await gcs.open("gcs", config, context, never);
    this.#opened.push(opened);
    return opened;
  }

  /** What came that has `text` in its method and address. */
  asked(text: string | RegExp): string[] {
    return this.server.asked.filter((one) => typeof text === "string" ? one.includes(text) : text.test(one));
  }

  async [Symbol.asyncDispose]() {
    for (const one of this.#opened) await one[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Fails unless `call` fails in this way, as a destination does; returns the error. */
export async function fails(call: Promise<unknown>, code: ErrorCode, sentence: RegExp): Promise<AppError> {
  const error = await call.then(() => assert.fail("it did not fail"), (error) => error);
  if (!isAppError(error)) throw error;
  assert.equal(error.code, code, error.message);
  assert.match(error.message, sentence);
  assert.match(error.message, /^destination "gcs": /);
  assert.equal(error.origin, "destination");
  const told = `${error.message} ${error.hint}`;
  assert.doesNotMatch(told, /ya29\.|AEnB2U|PRIVATE KEY-|upload_id=/, "a secret is in it");
  return error;
}

export { bodyOf, never, sample };
