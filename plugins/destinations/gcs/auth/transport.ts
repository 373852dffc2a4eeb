import { gaxios } from "google-auth-library";
import { AppError, isAppError } from "../../../../src/base/errors.ts";
import type { Secret } from "../../../../src/base/secret.ts";
import type { Clock } from "../../../../src/base/world.ts";
import type { HttpDoor } from "../../../../src/destination/http/door.ts";
import { readProblem } from "../../../../src/destination/http/problem.ts";
import { refusal, refuseWebPage } from "../../../../src/destination/http/refusal.ts";
import { isPrivateWay } from "../../../../src/destination/http/settings.ts";
import { inOurVoice, scrubbed } from "../../../../src/destination/scrub.ts";

/** Milliseconds in which the place for tokens may say nothing. */
const SILENCE = 30_000;

/** What a {@linkcode TokenTransport} needs. */
export interface Surroundings {
  door: HttpDoor;
  clock: Clock;
  /** Ends with the destination: a token is for all of its calls, so none of them may end the request. */
  signal: AbortSignal;
  /** What no sentence may hold; what is found out is added. */
  secrets: Secret[];
}

/**
 * The way of Google's library to the places for tokens: through the door of the destination, and without the library's
 * own retries, which neither heed a signal nor what the service asks for. Errors are AppErrors, which the library wraps
 * (see `wrappedError`).
 */
export class TokenTransport extends gaxios.Gaxios {
  constructor(around: Surroundings) {
    super({ fetchImplementation: (input, init) => ask(around, new URL(String(input)), init ?? {}) });
  }

  override request<T>(options: gaxios.GaxiosOptions) {
    const once = {
      retry: false,
      retryConfig: { shouldRetry: () => false },
      agent: () => undefined as never, // else it makes one for a proxy of the environment: the door's business
    };
    return super.request<T>({ ...options, ...once });
  }
}

async function ask(around: Surroundings, url: URL, init: RequestInit): Promise<Response> {
  const { door, signal } = around;
  if (init.method === "POST" && !isPrivateWay(url)) {
    throw new AppError("misconfigured", "the credentials name a place for tokens without https://");
  }
  const headers = new Headers(init.headers);
  const form = init.body instanceof URLSearchParams;
  if (form) headers.set("content-type", "application/x-www-form-urlencoded");
  const body = init.body === undefined || init.body === null ? null : String(init.body);
  const answer = await door.fetch(url, {
    ...{ method: init.method ?? "GET", headers, body, signal, silence: SILENCE },
  });
  if (!answer.ok) throw await refused(answer, around);
  refuseWebPage(answer);
  return answer;
}

/** What the answer of a place for tokens means that is none. */
async function refused(answer: Response, { clock, secrets }: Surroundings): Promise<AppError> {
  const problem = await readProblem(answer);
  const context = {
    what: "an access token",
    place: "the place for tokens",
    now: clock.now(),
    codes: { invalid_scope: "misconfigured", unsupported_grant_type: "misconfigured" },
    statuses: { 400: "denied", 404: "misconfigured" },
  } as const;
  const error = refusal(answer.status, answer.headers, problem, context);
  if (!isAppError(error, "denied", "misconfigured")) return error;
  const words = [problem.code, problem.message && inOurVoice(scrubbed(problem.message, secrets))];
  const said = words.filter((one) => one).join(": ") || String(answer.status);
  // The times in a signed request that does not hold are those of this machine.
  const times = /\biat\b|reasonable timeframe/i.test(problem.message ?? "") &&
    !/clock/.test(error.hint ?? "");
  const hint = times ? "check the clock of this machine" : error.hint;
  return new AppError(error.code, `Google gives no access token for these credentials (${said})`, {
    ...(hint === undefined ? {} : { hint }),
  });
}
