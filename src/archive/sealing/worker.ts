/// <reference lib="deno.worker" />
import { Sha256 } from "../../base/hash.ts";
import { Parts } from "../../base/parts.ts";
import type { Compression } from "../../model/archive_name.ts";
import { PayloadCipher, plainBatches } from "./age_payload.ts";
import { compress } from "../compress.ts";

/** The other end of sealing_thread.ts: compresses, encrypts and hashes what it is sent, at the pace of both ends. */

export interface Start {
  /** Of the payload. */
  key: Uint8Array;
  /** What stands before the payload; counts for the hash only. */
  head: Uint8Array;
  compression: Compression | undefined;
  /** Pieces of ciphertext that may be under way at once. */
  ahead: number;
}

/**
 * First `Start`; then plaintext, at last `end`; `taken` for every piece of ciphertext that was, and its memory where that
 * can be used again.
 */
export type ToWorker =
  | Start
  | { plain: Uint8Array<ArrayBuffer> }
  | { end: true }
  | { taken: true }
  | { spare: ArrayBuffer };

/** `used`, with its memory, for every piece of plaintext; the ciphertext in order, at last the hash of all of it. */
export type FromWorker =
  | { used: ArrayBuffer }
  | { sealed: Uint8Array<ArrayBuffer> }
  | { sha256: string }
  | { failed: string };

const received: (Uint8Array<ArrayBuffer> | undefined)[] = [];
/** Memory for ciphertext. */
const spare: ArrayBuffer[] = [];
let room = 0;
/** Wakes whoever waits for the other end. */
let wake = () => {};

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if ("key" in data) {
    // An error of ours carries no plaintext and no key; of any other the name must do.
    run(data).catch((error) => reply({ failed: error instanceof Error ? error.name : "unknown" }));
    return;
  }
  if ("spare" in data) return void spare.push(data.spare);
  if ("taken" in data) room++;
  else received.push("plain" in data ? data.plain : undefined);
  wake();
};

async function run({ key, head, compression, ahead }: Start): Promise<void> {
  room = ahead;
  const cipher = new PayloadCipher(key);
  const hash = new Sha256();
  hash.update(head);
  const input = ReadableStream.from(plaintext());
  const packed = compression ? compress(input, compression) : input;
  for await (const { bytes, last } of plainBatches(new Parts(packed))) {
    const sealed = cipher.seal(bytes, last, spare.pop());
    hash.update(sealed);
    while (room === 0) await something();
    room--;
    reply({ sealed }, [sealed.buffer]);
  }
  reply({ sha256: hash.hex() });
}

/** Each piece is good until the next one is asked for: its memory goes back. */
async function* plaintext(): AsyncGenerator<Uint8Array> {
  while (true) {
    while (received.length === 0) await something();
    const next = received.shift();
    if (!next) return;
    yield next;
    reply({ used: next.buffer }, [next.buffer]);
  }
}

/** Resolves with the next message; two may wait at once, and each looks again for what it needs. */
function something(): Promise<void> {
  return new Promise((resolve) => {
    const others = wake;
    wake = () => {
      wake = () => {};
      others();
      resolve();
    };
  });
}

function reply(answer: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(answer, transfer);
}
