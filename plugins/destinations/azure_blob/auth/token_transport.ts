import { AsyncLocalStorage } from "node:async_hooks";
import { collect, fromUtf8 } from "../../../../src/base/bytes.ts";
import { AppError, isAppError } from "../../../../src/base/errors.ts";
import type { Secret } from "../../../../src/base/secret.ts";
import type { Clock } from "../../../../src/base/world.ts";
import type { HttpDoor } from "../../../../src/destination/http/door.ts";
import { type Problem, problemIn } from "../../../../src/destination/http/problem.ts";
import { refusal } from "../../../../src/destination/http/refusal.ts";
import { inOurVoice, scrubbed } from "../../../../src/destination/scrub.ts";
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from "./identity_sdk.ts";

/** Milliseconds in which a place for tokens may say nothing: one on this machine, and any other. */
const SILENCE = { near: 3000, far: 30_000 };

/** What a {@linkcode TokenTransport} needs. */
export interface TokenParts {
  door: HttpDoor;
  clock: Clock;
  /** Ends with the destination. */
  signal: AbortSignal;
  secrets: readonly Secret[];
}

/** What became of the requests for one token: the library tells it in errors of its own, or not at all. */
interface Noted {
  /** Microsoft Entra ID, and the service on this machine that stands for it. */
  far?: AppError;
  near?: AppError;
}

const asking = new AsyncLocalStorage<TokenTransport>();

/**
 * What the library is given instead of a {@linkcode TokenTransport}: it keeps the first that it is given for a managed
 * identity as long as the process lives, also when the destination of that one was closed long ago.
 */
export const whoeverAsks: HttpClient = {
  sendRequest(request) {
    const transport = asking.getStore();
    if (!transport) throw new Error("nobody asked for a token");
    return transport.sendRequest(request);
  },
};

/** The way of Microsoft's library to the places for tokens: through the door of the destination. */
export class TokenTransport {
  #noted: Noted = {};

  constructor(readonly parts: TokenParts) {}

  /** All requests that the library makes for `ask` go this way; what was noted of earlier ones is forgotten. */
  carry<T>(ask: () => Promise<T>): Promise<T> {
    this.#noted = {};
    return asking.run(this, ask);
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const { door, signal } = this.parts, url = new URL(request.url);
    const near = url.protocol === "http:";
    const note = (error: AppError) => void (this.#noted[near ? "near" : "far"] = error);
    try {
      const answer = await door.fetch(url, {
        method: request.method,
        headers: request.headers.toJSON(),
        body: request.body === undefined || request.body === null ? null : String(request.body),
        signal: request.abortSignal ? AbortSignal.any([signal, request.abortSignal as AbortSignal]) : signal,
        silence: near ? SILENCE.near : SILENCE.far,
      });
      const bytes = answer.body ? await collect(answer.body, 1024 * 1024, "the token") : new Uint8Array();
      const bodyAsText = fromUtf8(bytes, "the token");
      if (!answer.ok) note(this.#refused(answer, problemIn(bodyAsText, answer.headers), near));
      else if (/^\s*<|^\s*$/.test(bodyAsText)) {
        note(new AppError("transient", "the place for tokens gave none"));
      }
      const headers = createHttpHeaders(Object.fromEntries(answer.headers));
      return { status: answer.status, headers, request, bodyAsText };
    } catch (error) {
      if (isAppError(error)) note(error);
      throw error;
    }
  }

  /** Why there is no token; `worked` where there was one before. */
  judge(error: unknown, identity: string, worked: boolean): AppError {
    const { far, near } = this.#noted;
    if (far) return far;
    // That nobody answers on this machine is known by now, unless there was an answer before.
    if (near && (worked || !isAppError(near, "transient"))) return near;
    const said = error instanceof Error ? inOurVoice(scrubbed(error.message, this.parts.secrets)) : "";
    const machine = identity === "managed";
    return new AppError(
      "misconfigured",
      machine ? "this machine has no managed identity" : `there are no credentials to sign in with: ${said}`,
      { cause: error, hint: HINTS[identity] ?? HINTS["default"]! },
    );
  }

  #refused(answer: Response, problem: Problem, near: boolean): AppError {
    const { clock, secrets } = this.parts, { status, headers } = answer;
    const error = refusal(status, headers, problem, {
      what: "an access token",
      place: "the place for tokens",
      now: clock.now(),
      codes: {
        unauthorized_client: "denied",
        invalid_resource: "misconfigured",
        temporarily_unavailable: "transient",
      },
      statuses: { 400: "denied", 404: near ? "transient" : "misconfigured", 410: "transient" },
    });
    if (isAppError(error, "transient")) return error;
    const message = problem.message?.split(/ Trace ID:|[\r\n]/)[0];
    const words = [problem.code, message && inOurVoice(scrubbed(message, secrets))];
    const said = words.filter((one) => one).join(": ") || String(status);
    const who = near ? "this machine's managed identity" : "Microsoft Entra ID";
    return new AppError(error.code, `no access token comes from ${who} (${said})`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  managed:
    "give the machine a managed identity, or name another way to sign in: sas, accountKey, connectionString",
  workload:
    "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE say where the token is and whose it is",
  default:
    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, run where there is a managed identity, " +
    "or sign in with az login",
};
