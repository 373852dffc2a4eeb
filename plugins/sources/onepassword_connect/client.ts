import { collect, fromUtf8 } from "../../../src/base/bytes.ts";
import { type AppError, isAppError } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { World } from "../../../src/base/world.ts";
import { connectError, statusError, strangeAnswer } from "./errors.ts";
import { announcedLength, Watch } from "./watched.ts";

/** Bytes of the longest answer that is read: a vault's list has some 500 for each item. */
const LONGEST_ANSWER = 256 * 1024 * 1024;
/** Bytes of the longest error that is looked at. */
const LONGEST_ERROR = 64 * 1024;

export interface ClientOptions {
  /** Without `/v1` and without a slash at its end. */
  address: string;
  token: Secret;
  /** Who asks, for the Connect server's own records. */
  agent: string;
  /** Milliseconds without progress after which a request is given up. */
  stallMs: number;
  world: Pick<World, "fetch" | "clock">;
}

/** The body of a file as Connect sends it. */
export interface Content {
  body: ReadableStream<Uint8Array>;
  /** Bytes that it is to have, where Connect says so. */
  announced: number | undefined;
}

/** Asks a Connect server; requests that fail for a moment are made again. */
export class ConnectClient {
  #refused: AppError | undefined;
  readonly #closed = new AbortController();

  constructor(readonly options: ClientOptions) {}

  /** Ends every request, file bodies included; those to come fail as `cancelled`. */
  close(): void {
    this.#closed.abort(connectError("cancelled", "the source was closed"));
  }

  /** The JSON at this path of the API, whose parts are ids and the API's own words. */
  json(path: readonly string[], given: AbortSignal): Promise<unknown> {
    return this.#patiently(async (signal) => {
      const { response, watch } = await this.#get(path, "application/json", signal);
      if (typeOf(response) !== "application/json") {
        await response.body?.cancel();
        throw strangeAnswer(typeOf(response));
      }
      return await jsonOf(watch.body(response));
    }, given);
  }

  /**
   * The content of a file. What says of itself that it is no file must at least be as long as the file is: with
   * another length it is a page that somebody else put in its place.
   */
  content(path: readonly string[], size: number, given: AbortSignal): Promise<Content> {
    return this.#patiently(async (signal) => {
      const { response, watch } = await this.#get(path, "application/octet-stream", signal);
      const announced = announcedLength(response.headers);
      if (typeOf(response) !== "application/octet-stream" && announced !== size) {
        await response.body?.cancel();
        throw strangeAnswer(typeOf(response));
      }
      return { body: watch.body(response), announced };
    }, given);
  }

  #patiently<T>(action: (signal: AbortSignal) => Promise<T>, given: AbortSignal): Promise<T> {
    const signal = AbortSignal.any([given, this.#closed.signal]);
    const { clock } = this.options.world;
    return retry(() => action(signal), { clock, signal, tries: 3, firstDelay: 1000 });
  }

  async #get(path: readonly string[], accept: string, signal: AbortSignal) {
    // A refused token is never tried again, whatever asks next.
    if (this.#refused) throw this.#refused;
    const { address, token, agent, stallMs, world } = this.options;
    const url = `${address}/v1/${path.map(segment).join("/")}`;
    const watch = new Watch(stallMs, signal);
    const response = await watch.progress(() =>
      world.fetch(url, {
        headers: {
          authorization: `Bearer ${token.reveal()}`,
          accept,
          // So that the announced length is that of the body.
          "accept-encoding": "identity",
          "user-agent": agent,
        },
        redirect: "manual",
        signal: watch.signal,
      })
    );
    if (response.status === 200) return { response, watch };
    const error = statusError(response, await isConnectsOwn(response, watch));
    if (response.status === 401) this.#refused = error;
    throw error;
  }
}

/** One part of a path. An id comes from the server: it must not lead to another path. */
function segment(text: string): string {
  if (text === "" || text === "." || text === "..") {
    throw connectError("unknown", "the Connect server gave an id that is none");
  }
  return encodeURIComponent(text);
}

function typeOf({ headers }: Response): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/** Whether an error is Connect's, which has a body that says the same status; the body is read up or let go. */
async function isConnectsOwn(response: Response, watch: Watch): Promise<boolean> {
  if (typeOf(response) !== "application/json") {
    await response.body?.cancel();
    return false;
  }
  try {
    const bytes = await collect(watch.body(response), LONGEST_ERROR, "the error");
    const error = JSON.parse(fromUtf8(bytes, "the error"));
    return typeof error === "object" && error !== null && error.status === response.status;
  } catch (error) {
    if (isAppError(error, "cancelled")) throw error;
    return false; // the status alone decides
  }
}

async function jsonOf(body: ReadableStream<Uint8Array>): Promise<unknown> {
  const bytes = await collect(body, LONGEST_ANSWER, "the answer");
  try {
    return JSON.parse(fromUtf8(bytes, "the answer"));
  } catch {
    // Without the cause: what a JSON parser says quotes the text, and that is secret.
    throw connectError("transient", "the answer is garbled or cut off: it is no JSON");
  }
}
