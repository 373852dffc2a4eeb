/// <reference lib="deno.worker" />
/** The other end of sealing_thread.ts: encrypts and hashes what it is sent, in order. */
import { Sha256 } from "../base/hash.ts";
import { PayloadCipher } from "./age_payload.ts";

/** First the key of the payload and what stands before it; then batch after batch. */
export type ToWorker =
  | { key: Uint8Array; head: Uint8Array }
  | { plain: Uint8Array<ArrayBuffer>; last: boolean };

/** One answer per batch, in order; `sha256` of everything with the last. */
export type FromWorker =
  | { sealed: Uint8Array<ArrayBuffer>; spare: ArrayBuffer; sha256?: string }
  | { failed: string };

let cipher: PayloadCipher | undefined;
const hash = new Sha256();

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  try {
    if ("key" in data) {
      cipher = new PayloadCipher(data.key);
      hash.update(data.head);
      return;
    }
    const sealed = cipher!.seal(data.plain, data.last);
    hash.update(sealed);
    const spare = data.plain.buffer;
    reply({ sealed, spare, ...(data.last ? { sha256: hash.hex() } : {}) }, [sealed.buffer, spare]);
  } catch (error) {
    // An error of ours carries no plaintext and no key; anything else is told by its name alone.
    reply({ failed: error instanceof Error ? error.name : "unknown" });
  }
};

function reply(answer: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(answer, transfer);
}
