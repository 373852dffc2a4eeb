/** What the tests of the local destination share: a folder that goes away, and worlds with faults. */
import assert from "node:assert/strict";
import { local } from "../../plugins/destinations/local/mod.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError, type ErrorCode, isAppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import type { Files } from "../../src/base/world.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";

export const KEY = "acme/archive.age";
export const BYTES = sample(500_000);
export const body = () => bodyOf(BYTES);

export class Folder implements AsyncDisposable {
  private constructor(readonly path: string, readonly warnings: string[]) {}

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "vaultferry-local-" }), []);
  }

  /** The destination "nas" on this folder, with some file operations replaced. */
  open(files: Partial<Files> = {}) {
    return openAt(this.path, files, (message) => this.warnings.push(message));
  }

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  names(folder = "acme"): string[] {
    return [...Deno.readDirSync(this.file(folder))].map(({ name }) => name).sort();
  }

  holds(key: string, bytes = BYTES) {
    assert.equal(sha256Hex(Deno.readFileSync(this.file(key))), sha256Hex(bytes));
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.path, { recursive: true });
  }
}

export function openAt(
  path: string,
  files: Partial<Files> = {},
  warn: (message: string) => void = assert.fail,
) {
  const world = { ...denoWorld(), files: { ...denoFiles, ...files } };
  const secret = () => Promise.reject(new Error("a local folder has no secrets"));
  return local.open("nas", { path }, { world, secret, warn }, never);
}

/** The error of `call`, which must be one of the destination "nas" with this code and sentence. */
export async function fails(
  call: Promise<unknown>,
  code: ErrorCode,
  sentence: RegExp = /./,
): Promise<AppError> {
  const error = await call.then(() => assert.fail("no error"), (error) => error);
  assert.ok(isAppError(error), error);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, sentence);
  assert.match(error.message, /^destination "nas": /);
  assert.equal(error.origin, "destination");
  return error;
}

export function broken(code: ErrorCode, message: string) {
  return () => Promise.reject(new AppError(code, message));
}
