/// <reference lib="deno.worker" />
import { ByteLists } from "./byte_lists.ts";
import type { Answer, Call, Failure, Start } from "./protocol.ts";
import { watchRequests } from "./requests.ts";

/**
 * Holds one signed-in client of 1Password's WebAssembly core, away from the main thread: a core that hangs or
 * panics is ended by ending its worker, and the memory that large files cost (some 30 times their size) goes with it.
 *
 * The core is called directly, not through `@1password/sdk`, because that wrapper revives the JSON of file bodies
 * byte by byte: 16 MiB take 21 s there and 1 s here (docs in ARCHITECTURE.md).
 */

const requests = watchRequests();
const byteLists = new ByteLists();
byteLists.install();
// Not a static import: those are loaded before the line above.
const core = import("@1password/sdk-core").then((module) => module.default);
let client: Promise<number>;

self.onmessage = (event: MessageEvent<Start | Call>) => {
  const message = event.data;
  if ("config" in message) {
    requests.stallMs = message.stallMs;
    client = core.then(async (core) => Number(await core.init_client(JSON.stringify(message.config))));
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
    if (call.name === SIGN_IN) return reply({ id: call.id, ok: "null" });
    byteLists.expected = call.answer === "bytes";
    const text = await (await core).invoke(JSON.stringify({
      invocation: { clientId, parameters: { name: call.name, parameters: call.parameters } },
    }));
    if (call.answer === "json") return reply({ id: call.id, ok: text });
    const bytes = byteLists.take(text);
    reply({ id: call.id, ok: bytes }, [bytes.buffer]);
  } catch (error) {
    const failed: Failure = { text: textOf(error), http: requests.last };
    reply({ id: call.id, failed });
  } finally {
    byteLists.expected = false;
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
