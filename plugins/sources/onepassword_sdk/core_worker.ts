/// <reference lib="deno.worker" />
import core from "@1password/sdk-core";
import type { Answer, Call, Failure, Start } from "./protocol.ts";
import { watchRequests } from "./requests.ts";

/**
 * Holds one signed-in client of 1Password's WebAssembly core, away from the main thread: a core that hangs or
 * panics is ended by ending its worker, and the memory that large files cost (some 30 times their size) goes with it.
 *
 * The core is called directly, not through `@1password/sdk`, because that wrapper revives the JSON of file bodies
 * byte by byte: 16 MiB take 21 s there and 1 s here (docs in ARCHITECTURE.md).
 */

let client: Promise<number>;
const requests = watchRequests();

self.onmessage = (event: MessageEvent<Start | Call>) => {
  const message = event.data;
  if ("config" in message) {
    requests.stallMs = message.stallMs;
    client = core.init_client(JSON.stringify(message.config)).then(Number);
    client.catch(() => {}); // every call that waits for it reports it
  } else {
    queue = queue.then(() => handle(message));
  }
};

/** A panic of the core leaves its promise pending for ever: whoever waits must hear of it another way. */
for (const event of ["error", "unhandledrejection"]) {
  self.addEventListener(event, (caught) => {
    caught.preventDefault();
    const reason = caught instanceof ErrorEvent
      ? caught.message
      : textOf((caught as PromiseRejectionEvent).reason);
    reply({ fatal: reason });
  });
}

/** One call after the other, so that the last request belongs to the call that failed. */
let queue: Promise<void> = Promise.resolve();

async function handle(call: Call): Promise<void> {
  try {
    const clientId = await client;
    const text = call.name === SIGN_IN ? "null" : await core.invoke(JSON.stringify({
      invocation: { clientId, parameters: { name: call.name, parameters: call.parameters } },
    }));
    if (call.answer === "json") return reply({ id: call.id, ok: text });
    const bytes = parseBytes(text);
    reply({ id: call.id, ok: bytes }, [bytes.buffer]);
  } catch (error) {
    const failed: Failure = { text: textOf(error), http: requests.last };
    reply({ id: call.id, failed });
  }
}

/** The call that only waits for the sign-in. */
const SIGN_IN = "SignIn";

function reply(answer: Answer, transfer: Transferable[] = []): void {
  self.postMessage(answer, transfer);
}

function textOf(error: unknown): string {
  if (typeof error === "string") return error;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * The bytes of a JSON list of integers such as `[1,2,255]`. Done by hand: JSON.parse would make an array of boxed
 * numbers first, eight times as large.
 */
function parseBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(text.length / 2));
  let count = 0;
  let value = -1;
  for (let at = 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char >= 48 && char <= 57) value = (value < 0 ? 0 : value * 10) + char - 48;
    else if (value >= 0) {
      if (value > 255) throw new Error("the core answered something else than bytes");
      bytes[count++] = value;
      value = -1;
    }
  }
  if (!/^\[.*\]$/s.test(text)) throw new Error("the core answered something else than bytes");
  return bytes.slice(0, count);
}
