import { AppError, type ErrorCode } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { Clock } from "../../../src/base/world.ts";
import type { HttpDoor } from "../../../src/destination/http/door.ts";
import { refusalOf, refuseWebPage } from "../../../src/destination/http/refusal.ts";
import type { Addresses } from "./addresses.ts";
import { challengesIn } from "./login/challenges.ts";
import type { Login } from "./login/contract.ts";
import { PROPFIND, readMultistatus, type Told } from "./multistatus.ts";

/** What {@linkcode Dav} is made of. */
export interface DavParts {
  door: HttpDoor;
  login: Login;
  clock: Clock;
  addresses: Addresses;
  random(length: number): Uint8Array;
  /** Milliseconds in which nothing may move. */
  silence: number | undefined;
  /** What no sentence may hold. */
  secrets: readonly Secret[];
}

/** A request; `what` is what it is about, for sentences: a key, or `the folder "x"`. */
export interface Ask {
  method: string;
  what: string;
  signal: AbortSignal;
  headers?: Record<string, string>;
  /** Made anew for each time that it is sent: a server that wants us to sign in again has taken some of it. */
  body?: () => string | ReadableStream<Uint8Array>;
  /** Statuses that are no refusal. */
  fine: readonly number[];
}

/** How often one request is sent until the server accepts who asks; on a slow line nonces may grow old on the way. */
const LOGINS = 8;

/** What statuses mean here, where that is not what they mean elsewhere. */
const STATUSES: Readonly<Record<number, ErrorCode>> = {
  409: "transient", // the folder that it would be in has gone
  424: "transient",
};

/** A refusal that may mean no more than that a file was asked for as a folder. */
export class Doubtful extends AppError {
  constructor({ code, message, hint }: AppError) {
    super(code, message, hint === undefined ? {} : { hint });
  }
}

/** A WebDAV server, request by request. */
export class Dav {
  constructor(readonly parts: DavParts) {}

  /** The folder that everything is in, for sentences. */
  get place(): string {
    return `the folder "${this.parts.addresses.base.href}"`;
  }

  /** One request, tried again where that makes sense; its answer, or the error that the answer stands for. */
  call(url: URL, ask: Ask): Promise<Response> {
    return retry(() => this.once(url, ask), { clock: this.parts.clock, signal: ask.signal });
  }

  /** One request, tried once. */
  async once(url: URL, ask: Ask): Promise<Response> {
    const answer = await this.send(url, ask);
    if (ask.fine.includes(answer.status)) {
      // Apache tells what it has made as a web page too (201); a portal knows only 200.
      if (answer.status === 200 && ask.method !== "GET") refuseWebPage(answer);
      return answer;
    }
    throw await this.refused(answer, ask);
  }

  /** What a server says of `url` and, with depth 1, of what is in it; undefined where nothing is (404). */
  async properties(
    url: URL,
    depth: 0 | 1,
    what: string,
    signal: AbortSignal,
    take: (told: Told) => void,
  ): Promise<{ now: Date | undefined } | undefined> {
    const answer = await this.once(url, {
      method: "PROPFIND",
      what,
      signal,
      headers: { depth: String(depth), "content-type": "application/xml; charset=utf-8" },
      body: () => PROPFIND,
      fine: [200, 207, 400, 403, 404, 405, 501],
    });
    const { status, headers } = answer;
    if (status === 207) {
      await readMultistatus(answer.body, take);
      const now = Date.parse(headers.get("date") ?? "");
      return { now: Number.isNaN(now) ? undefined : new Date(now) };
    }
    if (status === 400 || status === 403) throw new Doubtful(await this.refused(answer, { what }));
    await answer.body?.cancel();
    if (status === 404) return undefined;
    throw new AppError(
      "misconfigured",
      `what answers at "${url.origin}" does not speak WebDAV there (${status})`,
      {
        hint:
          "check the address: it is often another one than that of the web page, such as …/remote.php/dav/files/USER/",
      },
    );
  }

  /** One request as somebody, whatever the answer. */
  async send(url: URL, { method, signal, headers, body }: Ask): Promise<Response> {
    const { door, login, silence } = this.parts;
    for (let times = 1;; times++) {
      const authorization = login.authorize(method, url.pathname + url.search);
      const bytes = body?.();
      const answer = await door.fetch(url, {
        method,
        signal,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(bytes === undefined ? {} : { body: bytes }),
        ...(silence === undefined ? {} : { silence }),
      });
      if (answer.status !== 401) {
        login.accepted(authorization);
        return answer;
      }
      const asks = answer.headers.get("www-authenticate") ?? "";
      if (!login.refused(asks, authorization)) return answer;
      await answer.body?.cancel();
      if (times >= LOGINS) {
        throw new AppError("transient", "the server wants us to sign in again and again");
      }
    }
  }

  /** The error that an answer stands for which is no success. */
  async refused(answer: Response, { what }: Pick<Ask, "what">): Promise<AppError> {
    const now = this.parts.clock.now(), { schemes } = this.parts.login;
    if (answer.status === 401) {
      const asked = challengesIn(answer.headers.get("www-authenticate") ?? "").map(({ scheme }) => scheme);
      if (asked.length > 0 && !asked.some((scheme) => schemes.includes(scheme))) {
        await answer.body?.cancel();
        return new AppError(
          "denied",
          `the server wants us to sign in by ${[...new Set(asked)].join(" or ")}`,
          {
            hint: 'check "auth", and what the server allows',
          },
        );
      }
    }
    return await refusalOf(answer, { what, place: this.place, now, statuses: STATUSES });
  }
}
