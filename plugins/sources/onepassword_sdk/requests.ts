import type { FailedRequest } from "./protocol.ts";

/**
 * Wraps the worker's `fetch`, which the core calls, for what the core lacks: a deadline, so that a service that
 * accepts and never answers cannot hang a backup; a memory of which requests failed and how; and an end to signing
 * in once that was refused.
 */
export class Requests {
  /** Milliseconds without any byte after which a request is given up. */
  stallMs = 60_000;
  /** How the sign-in was refused; from then on none is sent. */
  #refused: FailedRequest | undefined;
  readonly #watching = new Set<FailedRequest[]>();

  /** Puts this in the place of `fetch`, for this worker only. */
  install(): void {
    const original = globalThis.fetch;
    globalThis.fetch = (input, init) => this.#fetch(original, input, init);
  }

  /** Runs `action` and, when it fails, tells `failed` which requests failed meanwhile. */
  async watch<T>(action: () => Promise<T>, failed: (requests: FailedRequest[]) => void): Promise<T> {
    const requests: FailedRequest[] = [];
    this.#watching.add(requests);
    try {
      return await action();
    } catch (error) {
      failed(requests);
      throw error;
    } finally {
      this.#watching.delete(requests);
    }
  }

  #note(request: FailedRequest): void {
    for (const requests of this.#watching) requests.push(request);
  }

  async #fetch(
    original: typeof fetch,
    input: Parameters<typeof fetch>[0],
    init: RequestInit | undefined,
  ): Promise<Response> {
    const about = SIGN_IN.test(input instanceof Request ? input.url : String(input)) ? { signIn: true } : {};
    if (about.signIn && this.#refused) {
      // Calls that were under way when it was refused: a second try would burn the account's quota.
      this.#note(this.#refused);
      throw new TypeError("the sign-in was refused before");
    }
    const deadline = new Deadline(this.stallMs);
    const given = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const signal = given ? AbortSignal.any([given, deadline.signal]) : deadline.signal;
    try {
      const response = await original(input, { ...init, signal });
      const { status, headers } = response;
      if (headers.get("content-type")?.startsWith("text/html")) {
        // 1Password's service never does; read as its answer it would look like a refused token.
        this.#note({ ...about, network: "a web page answered in its place (a captive portal or proxy?)" });
      } else if (!response.ok) {
        const failed = { ...about, status, ...retryAfter(headers) };
        if (about.signIn && isRefusal(status)) this.#refused = failed;
        this.#note(failed);
      }
      if (!response.body) {
        deadline.end();
        return response;
      }
      const broken = (error: unknown) => this.#note({ ...about, network: wordOf(error) });
      const answer = new Response(watched(response.body, deadline, broken), response);
      // The core reads the URL of an answer and panics when it is empty, as it is in a Response made by hand.
      return Object.defineProperty(answer, "url", { value: response.url });
    } catch (error) {
      deadline.end();
      this.#note({ ...about, network: wordOf(error) });
      throw error;
    }
  }
}

/** The requests of a sign-in; the core makes them by itself when its session has ended. */
const SIGN_IN = /\/api\/v\d+\/auth(\/|$)/;

/** Whether an answer to a sign-in is a no, rather than a service in trouble. */
export function isRefusal(status: number | undefined): boolean {
  return status === 400 || status === 401 || status === 403 || status === 404;
}

/** Gives a request up when nothing has come for too long. */
class Deadline {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout>;

  constructor(readonly ms: number) {
    this.#timer = this.#set();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  extend(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#set();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #set() {
    const reason = () => new DOMException(`no answer within ${this.ms / 1000} s`, "TimeoutError");
    return setTimeout(() => this.#controller.abort(reason()), this.ms);
  }
}

/** The same body, whose every piece extends the deadline; `broken` hears when it breaks off, which the core words as something unexpected. */
function watched(
  body: ReadableStream<Uint8Array>,
  deadline: Deadline,
  broken: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await reader.read();
        if (next.done) {
          deadline.end();
          return controller.close();
        }
        deadline.extend();
        controller.enqueue(next.value);
      } catch (error) {
        deadline.end();
        broken(error);
        throw error;
      }
    },
    cancel(reason) {
      deadline.end();
      return reader.cancel(reason);
    },
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
