import { collect, streamOf } from "../../../src/base/bytes.ts";
import { AppError } from "../../../src/base/errors.ts";
import type { DoorInit, HttpDoor } from "../../../src/destination/http/door.ts";
import { type Problem, problemIn, readProblem } from "../../../src/destination/http/problem.ts";
import { refuseWebPage } from "../../../src/destination/http/refusal.ts";

/** A request as the library hands it over, signed. */
interface SdkRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

interface SdkOptions {
  abortSignal?: AbortSignal;
  /** Milliseconds in which nothing may move. */
  requestTimeout?: number;
}

/** Bytes of an answer that is no object: 1,000 keys of 1,024 bytes, written in triplets, and what is around them. */
const LIMIT = 16 * 1024 * 1024;

/** An answer that is no success, before anybody has judged it. */
export class Refused extends Error {
  constructor(readonly status: number, readonly headers: Headers, readonly problem: Problem) {
    super(`refused (${status})`);
  }
}

/**
 * How the library reaches its services: through the door, and seeing nothing but successes that are whole.
 *
 * @throws {Refused} on every other answer, a 200 that holds an error among them
 */
export class DoorHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };

  constructor(readonly door: HttpDoor) {}

  async handle(request: SdkRequest, { abortSignal, requestTimeout }: SdkOptions = {}) {
    const answer = await this.door.fetch(addressOf(request), {
      method: request.method,
      headers: sentHeaders(request),
      body: (request.body ?? null) as NonNullable<DoorInit["body"]> | null,
      signal: abortSignal ?? new AbortController().signal,
      ...(requestTimeout === undefined ? {} : { silence: requestTimeout }),
    });
    const streams = request.query?.["x-id"] === "GetObject";
    if (answer.status < 200 || answer.status > 299) {
      // What answers a look has no body, so its type says nothing. A proxy that wants a login says so in HTML, and rightly.
      const fits = request.method === "HEAD" || [401, 403, 407].includes(answer.status);
      if (!fits) refuseWebPage(answer);
      throw new Refused(answer.status, answer.headers, await readProblem(answer));
    }
    if (streams || request.method === "HEAD") refuseWebPage(answer);
    // The library wants a stream of an object that holds nothing, too.
    const body = streams ? answer.body ?? streamOf(new Uint8Array()) : await wholeOf(answer, request.method);
    const headers = Object.fromEntries(answer.headers);
    return { response: { statusCode: answer.status, headers, body } };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs() {
    return {};
  }

  destroy(): void {}
}

/** `fetch` says what it knows about the body by itself, and asks no leave to send it. */
function sentHeaders({ headers }: SdkRequest): Record<string, string> {
  const left = ["host", "content-length", "expect", "transfer-encoding"];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.includes(name.toLowerCase())));
}

function addressOf({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ""].flat().map((one) => `${escaped(name)}=${escaped(one)}`)
  );
  const host = port === undefined ? hostname : `${hostname}:${port}`;
  return `${protocol}//${host}${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
}

/** As it was signed. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * All of an answer. XML is known to be whole by its last tag: a list that lost its end would else read as a short one,
 * and an upload's completion is told by a 200 that may still say that it failed. Its type is not believed: services
 * call XML a web page, and portals a web page anything.
 */
async function wholeOf(answer: Response, method: string): Promise<Uint8Array | undefined> {
  if (!answer.body) return undefined;
  const bytes = await collect(answer.body, LIMIT, "the service's answer");
  const text = new TextDecoder().decode(bytes).trim();
  if (text === "") return bytes;
  const root = /^(?:<\?[^>]*\?>\s*)?<([A-Za-z][\w.:-]*)/.exec(text)?.[1];
  // Sent after the 200, when something went wrong later: S3 means 500 by it.
  if (root === "Error") throw new Refused(500, answer.headers, problemIn(text, answer.headers));
  if (method === "PUT" || /^(?:<!doctype|<html)/i.test(text) || root?.toLowerCase() === "html") {
    throw new AppError(
      "transient",
      `something else (${answer.status}) came in place of the service's answer`,
      {
        hint: "a captive portal or a proxy that wants a login may stand between",
      },
    );
  }
  const whole = !text.startsWith("<") || text.endsWith(`</${root}>`) ||
    /^(?:<\?[^>]*\?>\s*)?<[^>]*\/>$/.test(text);
  if (!whole) throw new AppError("transient", "the service's answer was cut off");
  return bytes;
}
