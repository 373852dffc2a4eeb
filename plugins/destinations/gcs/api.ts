import { collect, fromUtf8 } from "../../../src/base/bytes.ts";
import { AppError, type ErrorCode, isAppError } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { Clock } from "../../../src/base/world.ts";
import type { DoorInit, HttpDoor } from "../../../src/destination/http/door.ts";
import { readProblem } from "../../../src/destination/http/problem.ts";
import { refusal, refuseWebPage } from "../../../src/destination/http/refusal.ts";
import type { Tokens } from "./auth/tokens.ts";

/** What {@linkcode Api} is made of. */
export interface ApiParts {
  door: HttpDoor;
  tokens: Tokens;
  clock: Clock;
  /** The service's address, without a slash at its end. */
  endpoint: string;
  bucket: string;
  /** Milliseconds in which nothing may move. */
  silence: number | undefined;
  /** What no sentence may hold; tokens and the ids of uploads are added. */
  secrets: Secret[];
}

/** A request; `what` is what it is about, for sentences: a key or `the bucket "x"`. */
export interface Ask extends Omit<DoorInit, "silence" | "headers"> {
  what: string;
  headers?: Record<string, string>;
  /** It is about an object, and "there is none" may be the answer. */
  object?: true;
  /** Statuses that are no refusal besides 200. */
  fine?: readonly number[];
}

/** Bytes of an answer in JSON: a page of a list is by far the longest. */
const JSON_LIMIT = 8 * 1024 * 1024;

/** What Google's own words mean, where the status alone does not tell. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  rateLimitExceeded: "transient",
  userRateLimitExceeded: "transient",
  retentionPolicyNotMet: "denied",
  objectUnderActiveHold: "denied",
  invalid: "misconfigured",
  invalidArgument: "misconfigured",
  invalidParameter: "misconfigured",
  required: "misconfigured",
  userProjectMissing: "misconfigured",
};

/** Google's JSON API, request by request. */
export class Api {
  constructor(readonly parts: ApiParts) {}

  /** The address of an object, or of all of them. */
  objects(name?: string): URL {
    const below = name === undefined ? "" : `/${encodeURIComponent(name)}`;
    return new URL(`${this.parts.endpoint}/storage/v1/b/${this.parts.bucket}/o${below}`);
  }

  /** The address where uploads begin. */
  uploads(): URL {
    return new URL(`${this.parts.endpoint}/upload/storage/v1/b/${this.parts.bucket}/o`);
  }

  /** One request, tried again where that makes sense; its answer, or the error that the answer stands for. */
  call(url: URL, ask: Ask): Promise<Response> {
    return retry(() => this.once(url, ask), { clock: this.parts.clock, signal: ask.signal });
  }

  /** What {@linkcode call} gives as JSON of this `kind`. */
  json<T>(url: URL, kind: string, ask: Ask): Promise<T> {
    return retry(async () => await jsonOf<T>(await this.once(url, ask), kind), {
      clock: this.parts.clock,
      signal: ask.signal,
    });
  }

  /** One request, tried once. */
  async once(url: URL, ask: Ask): Promise<Response> {
    const { what: _, object: __, fine = [], ...init } = ask;
    const answer = await this.send(url, init);
    if (answer.status === 200 || fine.includes(answer.status)) {
      refuseWebPage(answer);
      return answer;
    }
    throw await this.refused(answer, ask);
  }

  /** One request with a token, whatever the answer; a token that has died before its time is replaced once. */
  async send(url: URL, init: Omit<Ask, "what" | "object" | "fine">): Promise<Response> {
    const { door, tokens, silence } = this.parts;
    for (let again = false;; again = true) {
      const headers = await tokens.headers(init.signal);
      for (const [name, value] of Object.entries(init.headers ?? {})) headers.set(name, value);
      const answer = await door.fetch(url, {
        ...init,
        headers,
        ...(silence === undefined ? {} : { silence }),
      });
      if (answer.status !== 401 || again) return answer;
      await answer.body?.cancel();
      tokens.forget();
    }
  }

  /** The error that an answer stands for which is no success. */
  async refused(answer: Response, { what, object, signal }: Ask): Promise<AppError> {
    const { status, headers } = answer;
    const problem = await readProblem(answer);
    const { message = "" } = problem;
    if (status === 404 && !/^No such object/.test(message)) {
      // Said of a bucket, or of an object in words of another day: the bucket itself is asked.
      if (!object || problem.code !== "notFound") return this.noPlace();
      await this.#mustBeThere(signal);
      return new AppError("not-found", `there is no ${quoted(what)}`);
    }
    const place = `the bucket "${this.parts.bucket}"`;
    const context = { what, place, now: this.parts.clock.now(), codes: CODES };
    const error = refusal(status, headers, problem, context);
    // Not the credentials: nobody may.
    const locked = /retentionPolicyNotMet|objectUnderActiveHold/.test(problem.code ?? "");
    if (!locked) return error;
    const until = /until ([\dT:.+Z-]+\d[\dZ]?)/.exec(message)?.[1];
    return new AppError(
      "denied",
      `${quoted(what)} is locked against removal${until ? ` until ${until}` : ""}`,
    );
  }

  /** Throws unless there is a bucket. */
  async #mustBeThere(signal: AbortSignal): Promise<void> {
    const url = this.objects(), what = `the bucket "${this.parts.bucket}"`;
    url.search = "maxResults=1&fields=kind";
    await jsonOf(await this.once(url, { what, signal }), "storage#objects");
  }

  /** There is no bucket, or no service of Google at the address: never the same as an object that is not there. */
  noPlace(): AppError {
    const { bucket, endpoint } = this.parts;
    return new AppError("misconfigured", `there is no bucket ${quoted(bucket)}`, {
      hint: endpoint === "https://storage.googleapis.com"
        ? `create it: gcloud storage buckets create gs://${bucket}`
        : "check the bucket and the endpoint",
    });
  }
}

/** The JSON of an answer; `transient` where it is not what Google would say, whatever the status. */
export async function jsonOf<T>(answer: Response, kind: string): Promise<T> {
  const strange = (cause: unknown) =>
    new AppError("transient", "the answer is not one of Google Cloud Storage", {
      hint: "a proxy or a captive portal may stand between, or the endpoint may be wrong",
      cause,
    });
  if (!answer.body) throw strange(undefined);
  const text = await collect(answer.body, JSON_LIMIT, "the answer").catch((error) => {
    throw isAppError(error, "corrupt") ? strange(error) : error;
  });
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(text, "the answer"));
  } catch (error) {
    throw strange(error);
  }
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === kind) {
    return value as T;
  }
  throw strange(undefined);
}
