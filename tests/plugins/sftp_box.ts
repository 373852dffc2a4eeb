/** What the tests of the SFTP destination share: a real server, and openings of the destination "box" at it. */
import assert from "node:assert/strict";
import { sftp } from "../../plugins/destinations/sftp/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { type AppError, type ErrorCode, isAppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import type { World } from "../../src/base/world.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { OpenSsh, type OpenSshOptions } from "../servers/openssh/server.ts";

export const MIB = 1024 * 1024;
export const KEY = "acme/archive.age";
export const BYTES = sample(5 * MIB + 1);

export class Box implements AsyncDisposable {
  readonly warnings: string[] = [];
  /** What references such as `env:KEY` stand for. */
  readonly secrets: Record<string, string> = {};
  readonly #opened: Destination[] = [];

  private constructor(readonly server: OpenSsh) {
    this.secrets.KEY = server.key();
  }

  static async start(options: OpenSshOptions = {}): Promise<Box> {
    return new Box(await OpenSsh.start(options));
  }

  /** Opens the destination "box" with the key that may sign in; `undefined` takes a setting away. */
  async open(settings: Record<string, unknown> = {}, world: Partial<World> = {}): Promise<Destination> {
    const given = {
      host: "127.0.0.1",
      port: this.server.port,
      username: this.server.username,
      path: this.server.at(),
      privateKey: "env:KEY",
      knownHosts: this.server.knownHost(),
      ...settings,
    };
    const left = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const secret = (reference: unknown) =>
      Promise.resolve(new Secret(this.secrets[String(reference).slice(4)] ?? assert.fail(`${reference}`)));
    const opened = await sftp.open(
      "box",
      sftp.config.parse(left),
      {
        world: { ...denoWorld(), clock: hurried(2), ...world },
        secret,
        warn: (message) => void this.warnings.push(message),
      },
      never,
    );
    this.#opened.push(opened);
    return opened;
  }

  /** Everything in the folder that is stored in, hidden names too. */
  names(folder = "acme"): string[] {
    return [...Deno.readDirSync(this.server.at(folder))].map(({ name }) => name).sort();
  }

  holds(bytes: Uint8Array = BYTES, key = KEY): void {
    assert.equal(sha256Hex(Deno.readFileSync(this.server.at(key))), sha256Hex(bytes));
  }

  /** The error of `call`, which must be one of "box" with this code, sentence and hint, and hold no secret. */
  async fails(call: Promise<unknown>, code: ErrorCode, sentence: RegExp, hint?: RegExp): Promise<AppError> {
    const error = await call.then(() => assert.fail("no error"), (error) => error);
    assert.ok(isAppError(error), error);
    const told = `${error.message}\n${error.hint}\n${JSON.stringify(error)}`;
    assert.equal(error.code, code, told);
    assert.match(error.message, /^destination "box": [^A-Z]/);
    assert.match(error.message, sentence);
    if (hint) assert.match(error.hint ?? "", hint);
    assert.equal(error.origin, "destination");
    for (const secret of Object.values(this.secrets)) {
      for (const part of secret.split("\n").filter((part) => part.length > 5)) {
        assert.ok(part.startsWith("-----") || !told.includes(part), `a secret is in: ${told}`);
      }
    }
    return error;
  }

  async [Symbol.asyncDispose]() {
    for (const one of this.#opened) await one[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Whether the server can be reached and lets us in: nothing is stored yet, and that is what it says. */
export async function getsIn(opened: Destination): Promise<void> {
  for await (const { key } of opened.list("", never)) assert.fail(`there is ${key}`);
}

export function put(opened: Destination, bytes: Uint8Array = BYTES, key = KEY) {
  return opened.put(key, bodyOf(bytes), never);
}

/** Runs a program of the machine to its end; fails with what it says when it fails. */
export async function stock(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
