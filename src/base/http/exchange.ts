import { concat, utf8 } from "../bytes.ts";
import { AppError, cancellation } from "../errors.ts";
import type { HttpInit, Socket } from "./contract.ts";
import { type AnswerHead, Incoming, readBody, readHead, requestHead } from "./wire.ts";

/** What a request is written in at once, so that every piece that gets through is noticed. */
const PIECE = 64 * 1024;

/** One request and what becomes of its connection. */
export interface Exchange {
  url: URL;
  /** What stands in the request line. */
  target: string;
  init: HttpInit & { signal: AbortSignal; headers: Headers };
  /** The connection may be used again. */
  keep(): void;
  /** The connection is to be closed. */
  drop(): void;
}

/** Sends a request and reads the head of its answer, which may come before all of the request was sent. */
export async function exchange(socket: Socket, one: Exchange): Promise<Response> {
  const { init: { method = "GET", signal, moved = () => {} } } = one;
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  const stop = () => {
    one.drop(); // ends what is pending
    stopped.reject(cancellation(signal));
  };
  const forget = () => signal.removeEventListener("abort", stop);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const incoming = new Incoming(socket, moved);
  const sending = new Sending(socket, one, moved);
  try {
    const answer = readHead(incoming, method);
    answer.catch(() => {});
    const head = await Promise.race([stopped.promise, sending.outcome(answer)]);
    if (head === undefined) throw new AppError("transient", "the connection was closed without an answer");
    if (!sending.whole && head.status < 300) {
      throw new AppError("transient", `the answer ${head.status} came before all of the request was sent`);
    }
    return answerOf(one, head, incoming, sending.whole, stopped.promise, forget);
  } catch (error) {
    forget();
    sending.stop();
    one.drop();
    throw signal.aborted ? cancellation(signal) : error;
  }
}

/** The sending of a request. */
class Sending {
  /** Whether the last byte is on its way. */
  whole = false;
  #stopped = false;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(readonly socket: Socket, readonly one: Exchange, readonly moved: () => void) {}

  /** The head of the answer, as soon as it is there; what is not sent by then is not sent any more. */
  async outcome(answer: Promise<AnswerHead | undefined>): Promise<AnswerHead | undefined> {
    const sent = this.#send();
    sent.catch(() => {});
    await Promise.race([sent, answer]).catch(() => {});
    const broken = await Promise.race([
      sent.then(() => undefined, (error) => ({ error })),
      answer.then(() => undefined, () => undefined),
    ]);
    // A body that fails is told as it is. A connection that fails may have brought an answer that says why.
    if (broken && !(broken.error instanceof ConnectionFailed)) throw broken.error;
    try {
      const head = await answer;
      this.stop();
      if (head === undefined && broken) throw broken.error.cause;
      return head;
    } catch (error) {
      throw broken ? broken.error.cause : error;
    }
  }

  /** Takes nothing more of the body. */
  stop(): void {
    this.#stopped = true;
    this.#reader?.cancel().catch(() => {});
  }

  async #send(): Promise<void> {
    const { init: { method = "GET", headers, body }, target } = this.one;
    const bytes = typeof body === "string" ? utf8(body) : body;
    if (bytes instanceof ReadableStream) {
      return await this.#stream(requestHead(method, target, headers), bytes);
    }
    if (bytes || !/^(GET|HEAD|DELETE|PROPFIND|OPTIONS)$/.test(method)) {
      headers.set("content-length", String(bytes?.length ?? 0));
    }
    const head = requestHead(method, target, headers);
    await this.#write(
      concat([head, bytes?.subarray(0, PIECE) ?? new Uint8Array()]),
      (bytes?.length ?? 0) <= PIECE,
    );
    for (let at = PIECE; at < (bytes?.length ?? 0); at += PIECE) {
      await this.#write(bytes!.subarray(at, at + PIECE), at + PIECE >= bytes!.length);
    }
  }

  async #stream(head: Uint8Array, body: ReadableStream<Uint8Array>): Promise<void> {
    const length = Number(this.one.init.headers.get("content-length") ?? Number.NaN);
    this.#reader = body.getReader();
    if (!Number.isSafeInteger(length)) {
      throw new AppError("misconfigured", "a streamed request needs to know its length");
    }
    await this.#write(head, length === 0);
    let sent = 0;
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (this.#stopped) return;
      sent += value?.length ?? 0;
      if (sent > length || (done && sent < length)) {
        const how = done ? `ended after ${sent} of` : "is longer than";
        throw new AppError("corrupt", `the body of a request ${how} its ${length} bytes`);
      }
      if (done) return;
      for (let at = 0; at < value.length; at += PIECE) {
        await this.#write(value.subarray(at, at + PIECE), sent === length && at + PIECE >= value.length);
      }
    }
  }

  async #write(bytes: Uint8Array, last: boolean): Promise<void> {
    if (this.#stopped) return;
    if (last) this.whole = true;
    await this.socket.write(bytes).catch((cause) => {
      throw new ConnectionFailed(cause);
    });
    this.moved();
  }
}

/** Tells a connection that fails from everything else. */
class ConnectionFailed extends Error {
  constructor(cause: unknown) {
    super("the connection failed", { cause });
  }
}

function answerOf(
  one: Exchange,
  head: AnswerHead,
  incoming: Incoming,
  sent: boolean,
  stopped: Promise<never>,
  forget: () => void,
): Response {
  const { signal } = one.init;
  const end = () => {
    forget();
    if (head.keep && sent && !incoming.left) one.keep();
    else one.drop();
  };
  const empty = head.framing.kind === "length" && head.framing.length === 0;
  const bytes = readBody(incoming, head.framing);
  // Raced with each read, a promise that does not settle would keep all that was ever read.
  let interrupt = (_error: unknown) => {};
  stopped.catch((error) => interrupt(error));
  const next = () =>
    new Promise<IteratorResult<Uint8Array, void>>((resolve, reject) => {
      interrupt = reject;
      if (signal.aborted) reject(cancellation(signal));
      else bytes.next().then(resolve, reject);
    });
  const body = empty ? null : new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await next();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        forget();
        one.drop();
        controller.error(signal.aborted ? cancellation(signal) : error);
      }
    },
    cancel() {
      forget();
      one.drop();
    },
  }, { highWaterMark: 0 });
  if (empty) end();
  const answer = new Response(body, { status: head.status, headers: head.headers });
  return Object.defineProperty(answer, "url", { value: one.url.href });
}
