import type { Bytes } from "../wire/encryption.ts";
import type { Json, JsonObject } from "../wire/json.ts";

/** What a route answers, before the session encrypts it and before faults touch it. */
export interface Reply {
  status: number;
  body: Json | Bytes;
  /** Whether the session's key goes around the body. */
  sealed: boolean;
  headers?: Record<string, string>;
}

/** An ordinary answer within a session. */
export function sealed(body: Json): Reply {
  return { status: 200, body, sealed: true };
}

/** An answer in the clear: during sign-in, and to changes of vaults. */
export function plain(body: Json): Reply {
  return { status: 200, body, sealed: false };
}

/** The ciphertext of a file. */
export function binary(body: Bytes): Reply {
  return { status: 200, body, sealed: false };
}

const REFUSALS: Record<number, string> = {
  400: "Bad request.",
  401: "Authentication required.",
  403: "Forbidden.",
  404: "Not found.",
  409: "Conflict.",
  429: "Too many requests.",
  500: "Internal server error.",
  503: "Service unavailable.",
};

/** An error, which the service never encrypts. */
export function refusal(status: number, errorMessage = REFUSALS[status] ?? "Error."): Reply {
  const body: JsonObject = { errorCode: status, errorMessage };
  return { status, body, sealed: false };
}
