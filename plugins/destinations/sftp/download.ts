import { Buffer } from "node:buffer";
import { AppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { ByteRange } from "../../../src/destination/contract.ts";
import { type Piece, resumableGet } from "../../../src/destination/resumable_get.ts";
import { infoOf } from "./place.ts";
import { PIECE, UNDER_WAY } from "./pieces.ts";
import type { Connection } from "./ssh/connection.ts";
import { closeQuietly, type Session } from "./ssh/session.ts";
import ssh2 from "./ssh/library.ts";
// @ts-types="./ssh/ssh2.d.ts"
import type { Attributes, Handle } from "ssh2";

/** What is to be read. */
export interface Download {
  key: string;
  range: ByteRange | undefined;
  connection: Connection;
  /** The path of the key's file; throws where there is none. */
  find(session: Session, signal: AbortSignal): Promise<string>;
  signal: AbortSignal;
  translate(error: unknown): unknown;
}

/** The bytes of a file, which go on where they were when the connection is lost. */
export function download({ connection, find, ...get }: Download): Promise<ReadableStream<Uint8Array>> {
  return resumableGet({
    ...get,
    clock: connection.way.world.clock,
    async ask(start, end, signal): Promise<Piece> {
      const session = await connection.session(signal);
      const path = await find(session, signal);
      const handle = await session.ask<Handle>(
        `open ${quoted(path)}`,
        signal,
        (sftp, done) => sftp.open(path, ssh2.utils.sftp.OPEN_MODE.READ, {}, done),
      );
      try {
        const task = `look at ${quoted(path)}`;
        const attributes = await session.ask<Attributes>(
          task,
          signal,
          (sftp, done) => sftp.fstat(handle, done),
        );
        const { kind, size, modified } = infoOf(path, attributes)!;
        if (kind !== "file") throw new AppError("corrupt", `${quoted(path)} is no regular file`);
        const body = readAhead(session, handle, path, { start, end: Math.min(end ?? size, size) }, signal);
        return { body, start, size, version: modified?.toString() };
      } catch (error) {
        closeQuietly(session, handle);
        throw error;
      }
    },
  });
}

/** An open file's bytes; it ends early where the file does. */
function readAhead(
  session: Session,
  handle: Handle,
  path: string,
  { start, end }: { start: number; end: number },
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const ahead: { length: number; bytes: Promise<Uint8Array> }[] = [];
  const piece = Math.min(PIECE, session.most("read"));
  let at = start;
  const fill = () => {
    while (ahead.length * piece < UNDER_WAY && at < end) {
      const length = Math.min(piece, end - at);
      const bytes = readPiece(session, handle, path, at, length, signal);
      bytes.catch(() => {}); // whoever takes it is told
      ahead.push({ length, bytes });
      at += length;
    }
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        throwIfCancelled(signal);
        fill();
        const next = ahead.shift(), bytes = await next?.bytes;
        if (bytes && bytes.length > 0) controller.enqueue(bytes);
        if (next && bytes?.length === next.length) return;
        closeQuietly(session, handle);
        controller.close();
      } catch (error) {
        closeQuietly(session, handle);
        throw error;
      }
    },
    cancel: () => closeQuietly(session, handle),
  }, { highWaterMark: 0 });
}

/** `length` bytes, fewer only where the file ends: a server may give less than it was asked for at a time. */
async function readPiece(
  session: Session,
  handle: Handle,
  path: string,
  at: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const read = await session.ask<number>(
      `read ${quoted(path)}`,
      signal,
      (sftp, done) => sftp.read(handle, bytes, filled, length - filled, at + filled, done),
    );
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
