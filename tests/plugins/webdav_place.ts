/** What the tests of the WebDAV destination share: openings of the destination "dav", and servers that say anything. */
import assert from "node:assert/strict";
import { webdav } from "../../plugins/destinations/webdav/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { type AppError, type ErrorCode, isAppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Clock } from "../../src/base/world.ts";
import { bodyOf, keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { missingApache, PASSWORD, USER } from "../servers/webdav/apache.ts";

export { bodyOf, keysOf, never, PASSWORD, sample, USER };

export const KEY = "acme/archive.age";
export const TOKEN = "made-up-token.0123456789_abcdef";
export const SMALL = sample(100_000);
export const NO_APACHE = await missingApache();

/** Openings that are closed at the end, and what they warned of. */
export class Openings implements AsyncDisposable {
  readonly warnings: string[] = [];
  readonly #opened: Destination[] = [];

  /** With the right user and password, unless `settings` say otherwise; waiting lasts a hundredth of what it should. */
  async open(settings: Record<string, unknown>, clock: Clock = hurried(100), password = PASSWORD) {
    const given: Record<string, unknown> = { username: USER, password: "env:PASSWORD", ...settings };
    const left = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const secret = (reference: unknown) =>
      Promise.resolve(new Secret(reference === "env:TOKEN" ? TOKEN : password));
    const warn = (message: string) => void this.warnings.push(message);
    const opened = await webdav.open("dav", left, { world: { ...denoWorld(), clock }, secret, warn }, never);
    this.#opened.push(opened);
    return opened;
  }

  async [Symbol.asyncDispose]() {
    for (const one of this.#opened) await one[Symbol.asyncDispose]();
  }
}

export function put(destination: Destination, bytes: Uint8Array = SMALL, key = KEY) {
  return destination.put(key, bodyOf(bytes), never);
}

/** Fails unless `key` comes back as `bytes`. */
export async function comesBack(destination: Destination, bytes: Uint8Array = SMALL, key = KEY) {
  const got = await new Response(await destination.get(key, undefined, never)).bytes();
  assert.equal(sha256Hex(got), sha256Hex(bytes));
}

/** The error of `call`, which must be one of the destination "dav" with this code, sentence and hint, and no secret. */
export async function fails(
  call: Promise<unknown>,
  code: ErrorCode,
  sentence: RegExp = /./,
  hint?: RegExp,
): Promise<AppError> {
  const error = await call.then(() => assert.fail("no error"), (error) => error);
  assert.ok(isAppError(error), error);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^destination "dav": [^A-Z]/);
  assert.match(error.message, sentence);
  if (hint) assert.match(error.hint ?? "", hint);
  assert.equal(error.origin, "destination");
  const told = `${error.message} ${error.hint} ${JSON.stringify(error)}`;
  for (const secret of [PASSWORD, TOKEN, btoa(`${USER}:${PASSWORD}`)]) {
    assert.ok(!told.includes(secret), told);
  }
  return error;
}

/** What a server of a test was asked. */
export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

/** A server that says what a test wants. */
export class Answers implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: (asked: Asked) => Response | Promise<Response>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const { method, headers, url } = request;
      const asked = { method, headers, path: new URL(url).pathname, body: await request.text() };
      this.asked.push(asked);
      return await answer(asked);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }
}

/** An element of a multistatus; without a size it is a folder. */
export function response(href: string, size?: number | string, status = "HTTP/1.1 200 OK"): string {
  const properties = size === undefined
    ? "<D:resourcetype><D:collection/></D:resourcetype>"
    : `<D:resourcetype/><D:getcontentlength>${size}</D:getcontentlength>`;
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${properties}</D:prop>` +
    `<D:status>${status}</D:status></D:propstat></D:response>`;
}

export function multistatus(...responses: string[]): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">${
    responses.join("\n")
  }</D:multistatus>`;
}
