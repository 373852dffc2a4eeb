import type { LastRequest } from "./protocol.ts";

/** What the worker knows of its requests. */
export interface Requests {
  /** Milliseconds without any byte after which a request is given up. */
  stallMs: number;
  readonly last: LastRequest;
}

/**
 * Wraps the worker's `fetch`, which the core calls, for two things the core lacks: a deadline, so that a service
 * that accepts and never answers cannot hang a backup, and a memory of what the last request came to.
 */
export function watchRequests(): Requests {
  const original = globalThis.fetch;
  const requests = { stallMs: 60_000, last: {} as LastRequest };
  globalThis.fetch = async (input, init) => {
    const signIn = SIGN_IN.test(input instanceof Request ? input.url : String(input));
    const about = signIn ? { signIn } : {};
    requests.last = about;
    const stalled = new AbortController();
    const giveUp = () =>
      stalled.abort(new DOMException(`no answer within ${requests.stallMs / 1000} s`, "TimeoutError"));
    let timer = setTimeout(giveUp, requests.stallMs);
    const done = () => clearTimeout(timer);
    const given = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const signal = given ? AbortSignal.any([given, stalled.signal]) : stalled.signal;
    try {
      const response = await original(input, { ...init, signal });
      requests.last = { ...about, status: response.status, ...retryAfter(response.headers) };
      if (response.headers.get("content-type")?.startsWith("text/html")) {
        // 1Password's service never does; read as its answer it would look like a refused token.
        requests.last = {
          ...about,
          network: "a web page answered in its place (a captive portal or proxy?)",
        };
      }
      if (!response.body) {
        done();
        return response;
      }
      const body = response.body.pipeThrough(
        new TransformStream({
          transform(bytes, controller) {
            clearTimeout(timer);
            timer = setTimeout(giveUp, requests.stallMs);
            controller.enqueue(bytes);
          },
          flush: done,
          cancel: done,
        }),
      );
      const answer = new Response(watched(body, requests, done), response);
      // The core reads the URL of an answer and panics when it is empty, as it is in a Response made by hand.
      return Object.defineProperty(answer, "url", { value: response.url });
    } catch (error) {
      done();
      requests.last = { ...about, network: wordOf(error) };
      throw error;
    }
  };
  return requests;
}

/** The requests of a sign-in; the core makes them by itself when its session has ended. */
const SIGN_IN = /\/api\/v\d+\/auth(\/|$)/;

/** Notes a body that breaks off: the core itself says only that something was unexpected. */
function watched(
  body: ReadableStream<Uint8Array>,
  requests: { last: LastRequest },
  done: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await reader.read();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        done();
        requests.last = { network: wordOf(error) };
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function retryAfter(headers: Headers): { retryAfter?: number } {
  const text = headers.get("retry-after");
  if (text === null) return {};
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfter: Math.ceil(seconds) } : {};
}

/** The network's word without the URL, which could hold an account's address and more. */
function wordOf(error: unknown): string {
  // What `fetch` itself says is "fetch failed"; why is in its cause.
  const said = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = said instanceof Error ? said.message : String(said);
  return text.replace(/^error sending request /, "").replace(/\bfor url \([^)]*\):?\s*/g, "")
    .replace(/^client error \(Connect\): /, "").replace(/\bhttps?:\/\/\S+/g, "the service").replace(
      / \(os error \d+\)/g,
      "",
    ).slice(0, 200);
}
