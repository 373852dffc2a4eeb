/// <reference lib="deno.worker" />
import { ByteLists } from "./byte_lists.ts";
import { AppCore, SESSION_EXPIRED } from "./desktop/app_core.ts";
import type { Answer, Call, FailedRequest, Failure, Start } from "./protocol.ts";
import { Requests } from "./requests.ts";
import { said } from "./translate.ts";

/**
 * Holds one signed-in client of 1Password's core, away from the main thread: a core that hangs or panics is ended
 * by ending its worker, and the memory that large files cost (some 30 times their size) goes with it. It is the
 * WebAssembly core, or the one in 1Password's app.
 *
 * The core is called directly, not through `@1password/sdk`, because that wrapper revives the JSON of file bodies
 * byte by byte: 16 MiB take 21 s there and 1 s here (docs in ARCHITECTURE.md).
 */

const requests = new Requests();
requests.install();
const byteLists = new ByteLists();
byteLists.install();

/** What both cores can do. */
interface Core {
  init_client(config: string): Promise<string>;
  invoke(call: string): Promise<string>;
}

let core: Promise<Core>;
/** How to sign in. */
let config: string;
/** The signed-in client's number; fails with {@linkcode Failed}. */
let client: Promise<number>;

self.onmessage = (event: MessageEvent<Start | Call>) => {
  const message = event.data;
  if ("config" in message) start(message);
  else handle(message);
};

function start({ config: given, stallMs, library }: Start): void {
  requests.stallMs = stallMs;
  config = JSON.stringify(given);
  core = library === undefined
    // Not a static import: those are loaded before the byte lists are in their place.
    ? import("@1password/sdk-core").then((module) => module.default)
    : Promise.resolve().then(() => new AppCore(library, given.accountName ?? "", stallMs));
  client = signIn();
}

function signIn(): Promise<number> {
  const client = failing(async () => {
    const number = Number(await (await core).init_client(config));
    if (!Number.isSafeInteger(number)) throw new Error("the core answered a sign-in with no client");
    return number;
  });
  client.catch(() => {}); // every call that waits for it reports it
  return client;
}

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

/** Several calls may be under way: while one waits for 1Password, the core works on another. */
async function handle(call: Call): Promise<void> {
  const bytes = call.answer === "bytes";
  if (bytes) byteLists.expected++;
  try {
    if (call.name === SIGN_IN) {
      await client;
      return reply({ id: call.id, ok: "null" });
    }
    const text = await invoke(call);
    if (!bytes) return reply({ id: call.id, ok: byteLists.text(text) });
    const body = byteLists.take(text);
    reply({ id: call.id, ok: body }, [body.buffer]);
  } catch (error) {
    const failed = error instanceof Failed ? error.failure : { text: textOf(error), requests: [] };
    reply({ id: call.id, failed });
  } finally {
    if (bytes) byteLists.expected--;
  }
}

/** The call that only waits for the sign-in. */
const SIGN_IN = "SignIn";

async function invoke(call: Call): Promise<string> {
  const used = client;
  const ask = async (clientId: number) =>
    await failing(async () =>
      await (await core).invoke(JSON.stringify({
        invocation: { clientId, parameters: { name: call.name, parameters: call.parameters } },
      }))
    );
  try {
    return await ask(await used);
  } catch (error) {
    // Only the app ends a session so: it has been locked, or nobody used it for too long.
    if (!(error instanceof Failed) || said(error.failure.text).name !== SESSION_EXPIRED) throw error;
    // One fresh sign-in for all calls that find it ended: each one asks a person.
    if (client === used) client = signIn();
    return await ask(await client.catch((error) => Promise.reject(error.asSignIn())));
  }
}

/** Makes a {@linkcode Failed} of whatever goes wrong. */
async function failing<T>(action: () => Promise<T>): Promise<T> {
  let failed: FailedRequest[] = [];
  try {
    return await requests.watch(action, (requests) => failed = requests);
  } catch (error) {
    throw new Failed({ text: textOf(error), requests: failed });
  }
}

class Failed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.text);
  }

  asSignIn(): Failed {
    return new Failed({ ...this.failure, signIn: true });
  }
}

function reply(answer: Answer, transfer: Transferable[] = []): void {
  self.postMessage(answer, transfer);
}

function textOf(error: unknown): string {
  if (typeof error === "string") return error;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
