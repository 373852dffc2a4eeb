import { Buffer } from "node:buffer";
import process from "node:process";
import util from "node:util";
import { parseByteList } from "../byte_lists.ts";

/** How long a person may take to answer the app's prompt, in milliseconds. */
const PATIENCE = 10 * 60_000;

/** The name of the app's error when a session has ended. */
export const SESSION_EXPIRED = "DesktopSessionExpired";

/** The names of the errors that are made here rather than by the app. */
export const LIBRARY_FAILED = "AppLibraryFailed";
export const APP_SILENT = "AppSilent";
export const APP_GARBLED = "AppGarbled";

/**
 * 1Password's core as the app on this machine runs it, reached through the app's own native library: what
 * `DesktopAuth` of `@1password/sdk` does. A message to it is a JSON object with the account, the kind of call and
 * the core's own JSON in base64; its answer holds the core's JSON as a list of bytes.
 */
export class AppCore {
  readonly #send: (message: Buffer) => unknown;

  /** Throws, with {@linkcode LIBRARY_FAILED} as the name, when the library cannot be loaded. */
  constructor(library: string, readonly account: string, readonly stallMs: number) {
    const module: { exports: { sendMessage?: unknown } } = { exports: {} };
    try {
      process.dlopen(module, library);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw failure(LIBRARY_FAILED, said.split("\n", 1)[0]!);
    }
    const send = module.exports?.sendMessage;
    if (typeof send !== "function") throw failure(LIBRARY_FAILED, "it is not the 1Password app's library");
    this.#send = (message) => send.call(module.exports, message);
  }

  /** Signs in, which the app asks a person about. */
  init_client(config: string): Promise<string> {
    return this.#call("init_client", config, PATIENCE);
  }

  invoke(call: string): Promise<string> {
    // The body of a file comes all at once, and a large one takes its time.
    const factor = call.includes('"ItemsFilesRead"') ? 10 : 1;
    return this.#call("invoke", call, factor * this.stallMs);
  }

  async #call(kind: string, payload: string, patience: number): Promise<string> {
    const message = { account_name: this.account, kind, payload: Buffer.from(payload).toString("base64") };
    const answer = await within(patience, async () => await this.#send(Buffer.from(JSON.stringify(message))));
    const { success, payload: said } = readAnswer(answer);
    // Not the global one: this may keep a file's body as bytes (byte_lists.ts).
    const text = new util.TextDecoder().decode(said);
    if (!success) throw text;
    return text;
  }
}

/** An app that has been locked or restarted was seen never to answer again. */
async function within<T>(patience: number, action: () => Promise<T>): Promise<T> {
  let timer;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure(APP_SILENT, `no answer within ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([action(), silence]);
  } finally {
    clearTimeout(timer);
  }
}

const SUCCESS = '{"success":true,"payload":';

function readAnswer(answer: unknown): { success: boolean; payload: Uint8Array } {
  if (!(answer instanceof Uint8Array)) throw failure(APP_GARBLED, "its answer is not made of bytes");
  const begins = Buffer.from(answer.subarray(0, SUCCESS.length)).toString("latin1") === SUCCESS;
  // As is, because parsed as JSON each byte would become a number of eight.
  const payload = begins ? parseByteList(answer.subarray(SUCCESS.length, -1)) : undefined;
  if (payload) return { success: true, payload };
  let parsed: { success?: unknown; payload?: unknown } | null;
  try {
    parsed = JSON.parse(new TextDecoder().decode(answer));
  } catch {
    throw failure(APP_GARBLED, "its answer is not JSON");
  }
  const { success, payload: list } = parsed ?? {};
  if (success !== true && list !== undefined && !Array.isArray(list)) {
    return { success: false, payload: Buffer.from(JSON.stringify(list)) };
  }
  const bytes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((one) => Number.isInteger(one) && one >= 0 && one <= 255);
  if (!bytes(list)) throw failure(APP_GARBLED, "its answer holds no bytes");
  return { success: success === true, payload: Uint8Array.from(list) };
}

/** In the form of the core's own errors. */
function failure(name: string, message: string): string {
  return JSON.stringify({ name, message });
}
