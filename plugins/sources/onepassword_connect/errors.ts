import { AppError, type ErrorCode, type ErrorDetails, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";

/**
 * An error of this source. What Connect says in its error bodies is never part of it: that may repeat the token, and
 * the status tells the same.
 */
export function connectError(code: ErrorCode, message: string, details: ErrorDetails = {}): AppError {
  return new AppError(code, message, { ...details, origin: "source" });
}

/** Why there was no whole answer. */
export function networkError(cause: unknown): AppError {
  const word = wordOf(cause);
  return connectError("transient", `cannot reach Connect: ${word}`, {
    hint: /certificate|UnknownIssuer/i.test(word)
      ? "an authority of your own must be in the system's store, or name its file in the environment: DENO_CERT=/path/ca.pem"
      : 'check that the Connect server runs, that "url:" names it, and what lies between: network, proxy, firewall',
    cause,
  });
}

/** An answer that Connect did not give, though its status says that all is well. */
export function strangeAnswer(type: string): AppError {
  const what = type === "text/html" ? "a web page" : type === "" ? "something without a type" : quoted(type);
  return connectError("transient", `cannot reach Connect: ${what} answered in its place`, {
    hint: 'a proxy or a captive portal may have answered; check that "url:" names the Connect server itself',
  });
}

/** What a status other than 200 means. `genuine` tells whether the body is an error of Connect's. */
export function statusError(response: Response, genuine: boolean): AppError {
  const { status, headers } = response;
  const seconds = retryAfter(headers);
  const details = seconds === undefined ? {} : { retryAfter: seconds };
  if (status >= 300 && status < 400) return redirected(status, headers.get("location"), response.url);
  if (status === 401) {
    return connectError(
      "denied",
      "the Connect server refused the token: it is wrong, expired or revoked",
      {
        hint:
          "make a new token for this Connect server in 1Password and put it where the config's token: points",
        ...details,
      },
    );
  }
  if (status === 403) {
    return connectError("denied", "the Connect server does not let this token read that", {
      hint: "a token shows only the vaults that it was made for: make a new one in 1Password to change that",
      ...details,
    });
  }
  if (status === 408 || status === 429 || status >= 500) {
    const what = status === 429
      ? "asks to be left alone for a while"
      : "or a proxy before it answers with an error";
    return connectError("transient", `the Connect server ${what} (HTTP ${status})`, {
      hint: "look at the logs of the Connect server (connect-api, connect-sync)",
      ...details,
    });
  }
  // "Not there" deletes nothing, but it excuses: it must come from Connect and not from what stands before it.
  if (status === 404 && genuine) {
    return connectError("not-found", "the Connect server does not have it any more", details);
  }
  return connectError("unknown", `the answer is none that Connect gives (HTTP ${status})`, {
    hint: 'check that "url:" names the Connect server itself',
    ...details,
  });
}

/** Reads an answer; what is not understood is neither empty nor less, but an error. */
export function understood<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    throw connectError("unknown", `the Connect server answered with ${what} of an unknown shape`, {
      hint: "a newer vaultferry may know it; nothing was changed",
      cause,
    });
  }
}

/** Redirects are never followed: the token would go along. Only the place is shown, not the path or query. */
function redirected(status: number, location: string | null, from: string): AppError {
  const to = location !== null && URL.canParse(location, from) ? new URL(location, from).origin : undefined;
  return connectError(
    "misconfigured",
    `the address of the Connect server redirects ${
      to === undefined ? "elsewhere" : `to ${quoted(to)}`
    } (HTTP ${status})`,
    {
      hint:
        'the token is sent nowhere but to "url:"; if the other address is the Connect server, put it there',
    },
  );
}

function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined;
}

/** The network's own word without addresses; what `fetch` itself says is only that it failed. */
function wordOf(cause: unknown): string {
  const said = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const text = said instanceof Error ? said.message : String(said);
  return text.replace(/^error sending request /, "").replace(/\bfor url \([^)]*\):?\s*/g, "")
    .replace(/^client error \(Connect\): /, "").replace(/\bhttps?:\/\/\S+/g, "the server")
    .replace(/ \(os error \d+\)/g, "").slice(0, 200);
}
