import { Buffer } from "node:buffer";
import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { orCancelled, pour } from "../../../src/destination/body.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { infoOf } from "./place.ts";
import { PIECE, UNDER_WAY } from "./pieces.ts";
import ssh2 from "./ssh/library.ts";
// @ts-types="./ssh/ssh2.d.ts"
import type { Attributes, Handle } from "ssh2";
import type { Session } from "./ssh/session.ts";

const { WRITE, CREAT, EXCL } = ssh2.utils.sftp.OPEN_MODE;

/** A new file, for us alone; `transient` when something has its name. Links are not followed. */
export async function createFile(session: Session, path: string, signal: AbortSignal): Promise<Handle> {
  return await session.ask<Handle>(
    `create ${quoted(path)}`,
    signal,
    (sftp, done) => sftp.open(path, WRITE | CREAT | EXCL, { mode: 0o600 }, done),
  ).catch((error) => {
    // Not the name of the archive: that one is judged by whoever gets "already-exists".
    if (!isAppError(error, "already-exists")) throw error;
    throw new AppError("transient", `something else has the name of the unfinished ${quoted(path)}`, {
      cause: error,
    });
  });
}

/**
 * Writes all of `body` into an open file, many pieces under way at once, and makes it last where the server can.
 *
 * @returns the permission bits that the file has
 * @throws `corrupt` when the body, or the file afterwards, is not what it should be
 */
export async function fill(
  session: Session,
  handle: Handle,
  key: string,
  body: Resendable,
  signal: AbortSignal,
): Promise<number> {
  const writes = new Writes(session, handle, `write ${quoted(key)}`, signal);
  await pour(key, body, (bytes) => writes.add(bytes), signal);
  await orCancelled(writes.done(), signal);
  if (session.offers("fsync@openssh.com")) {
    await session.ask<void>(
      `make ${quoted(key)} last`,
      signal,
      (sftp, done) => sftp.ext_openssh_fsync(handle, done),
    );
  }
  const task = `look at ${quoted(key)}`;
  const attributes = await session.ask<Attributes>(task, signal, (sftp, done) => sftp.fstat(handle, done));
  const { size, mode } = infoOf(key, attributes)!;
  if (size === body.size) return mode;
  throw new AppError("corrupt", `the server kept ${size} of the ${body.size} bytes of ${quoted(key)}`);
}

/** Writes whose answers are waited for together. */
class Writes {
  #at = 0;
  #underWay = 0;
  #failure: unknown;
  #answered = () => {};
  /** Not longer than the server takes: then all of a piece is copied before its bytes are filled anew. */
  readonly #piece: number;

  constructor(
    readonly session: Session,
    readonly handle: Handle,
    readonly task: string,
    readonly signal: AbortSignal,
  ) {
    this.#piece = Math.min(PIECE, session.most("write"));
  }

  /** Returns when all of `bytes` is on its way. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; from += this.#piece) {
      while (this.#underWay * this.#piece >= UNDER_WAY) await this.#answer();
      if (this.#failure !== undefined) throw this.#failure;
      this.#send(bytes.subarray(from, from + this.#piece));
    }
  }

  /** Returns when all was written. */
  async done(): Promise<void> {
    while (this.#underWay > 0) await this.#answer();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #send(bytes: Uint8Array): void {
    const at = this.#at, { handle } = this;
    this.#at += bytes.length;
    this.#underWay++;
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.session.ask<void>(
      this.task,
      this.signal,
      (sftp, done) => sftp.write(handle, piece, 0, piece.length, at, done),
    ).catch((error) => this.#failure ??= error).then(() => {
      this.#underWay--;
      this.#answered();
    });
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => this.#answered = resolve);
  }
}
