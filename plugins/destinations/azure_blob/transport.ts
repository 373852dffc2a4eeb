import { Readable } from "node:stream";
import { collect, streamOf } from "../../../src/base/bytes.ts";
import { AppError } from "../../../src/base/errors.ts";
import type { DoorInit, HttpDoor } from "../../../src/destination/http/door.ts";
import { type Problem, readProblem } from "../../../src/destination/http/problem.ts";
import { refuseWebPage } from "../../../src/destination/http/refusal.ts";

/** A request as the library hands it over, signed. */
interface SdkRequest {
  method: string;
  url: string;
  headers: { toJson(): Record<string, string> };
  body?: unknown;
  /** Statuses whose body is to be streamed. */
  streamResponseStatusCodes?: Set<number>;
}

/** Bytes of an answer that is no blob: 5,000 names of 1,024 characters and what is around them. */
const LIMIT = 32 * 1024 * 1024;

/** An answer that is no success, before anybody has judged it. */
export class Refused extends Error {
  constructor(readonly status: number, readonly headers: Headers, readonly problem: Problem) {
    super(`refused (${status})`);
  }
}

/**
 * How the library makes one request: through the door, and seeing nothing but successes that are whole.
 *
 * @throws {Refused} on every other answer
 */
export class OneRequest {
  /** The answer's body, where it is a blob: the library gets a stream that stands still, as its own cannot be watched. */
  blob: ReadableStream<Uint8Array> | undefined;

  constructor(readonly door: HttpDoor, readonly signal: AbortSignal, readonly silence: number) {}

  async sendRequest(request: SdkRequest) {
    const { signal, silence } = this, { method } = request;
    const body = (typeof request.body === "function" ? request.body() : request.body ?? null) as
      | NonNullable<DoorInit["body"]>
      | null;
    const headers = sentHeaders(request, body instanceof ReadableStream);
    const answer = await this.door.fetch(request.url, { method, headers, body, signal, silence });
    if (answer.status < 200 || answer.status > 299) {
      // What answers a look has no body, so its type says nothing. A proxy that wants a login says so in HTML, and rightly.
      if (method !== "HEAD" && ![401, 403, 407].includes(answer.status)) refuseWebPage(answer);
      throw new Refused(answer.status, answer.headers, await readProblem(answer));
    }
    if (!answer.headers.has("x-ms-request-id")) {
      answer.body?.cancel().catch(() => {});
      throw strange(`came (${answer.status}) in place of the service's answer`);
    }
    const told = { toJson: () => Object.fromEntries(answer.headers) };
    const heard = { status: answer.status, headers: told, request };
    if (!request.streamResponseStatusCodes?.has(answer.status)) {
      return { ...heard, bodyAsText: await wholeOf(answer) };
    }
    this.blob = answer.body ?? streamOf(new Uint8Array());
    return { ...heard, readableStreamBody: new Readable({ read() {} }) };
  }
}

/** Says "something else …", with what may be the reason. */
export function strange(what: string): AppError {
  return new AppError("transient", `something else ${what}`, {
    hint: "a captive portal or a proxy that wants a login may stand between",
  });
}

/** The door says by itself how long what it holds is. */
function sentHeaders({ headers }: SdkRequest, streams: boolean): Record<string, string> {
  const left = ["host", "transfer-encoding", ...(streams ? [] : ["content-length"])];
  return Object.fromEntries(
    Object.entries(headers.toJson()).filter(([name]) => !left.includes(name.toLowerCase())),
  );
}

/** All of an answer. XML is known to be whole by its last tag: a list that lost its end would else read as a short one. */
async function wholeOf(answer: Response): Promise<string> {
  if (!answer.body) return "";
  const text = new TextDecoder().decode(await collect(answer.body, LIMIT, "the service's answer")).trim();
  if (text === "") return text;
  const root = /^(?:<\?[^>]*\?>\s*)?<([A-Za-z]\w*)/.exec(text)?.[1];
  if (root === undefined || root.toLowerCase() === "html") {
    throw strange(`came (${answer.status}) in place of the service's answer`);
  }
  if (text.endsWith(`</${root}>`) || /^(?:<\?[^>]*\?>\s*)?<[^>]*\/>$/.test(text)) return text;
  throw new AppError("transient", "the service's answer was cut off");
}
