import type { AppError } from "../../../../src/base/errors.ts";
import type { Failure } from "../protocol.ts";
import { general, lackingError, type Meanings, said, sourceError } from "../translate.ts";
import { APP_GARBLED, APP_SILENT, LIBRARY_FAILED, SESSION_EXPIRED } from "./app_core.ts";

/** How people let other programs in; the words are those of the app. */
export const TURN_ON = "open the 1Password app, sign in there, and turn on Settings > Developer > " +
  "Integrate with the 1Password SDKs > Integrate with other apps";

/** What the failures of the core in 1Password's app mean. It asks 1Password in our place: only its texts tell. */
export const appMeanings: Meanings = { signIn: signInError, call: callError, endsSession: () => false };

function signInError(failure: Failure): AppError {
  const { name, message } = said(failure.text);
  if (name === APP_SILENT) {
    return sourceError("denied", `the 1Password app did not sign anybody in: ${message}`, {
      hint: "approve the prompt of the 1Password app; where it shows none, quit the app and open it again",
    });
  }
  if (name === LIBRARY_FAILED) {
    return sourceError("misconfigured", `the library of the 1Password app could not be loaded: ${message}`, {
      hint: "reinstall or update the 1Password app from https://1password.com/downloads",
    });
  }
  if (isConnection(message)) {
    return sourceError("misconfigured", `cannot reach the 1Password app: ${message}`, { hint: TURN_ON });
  }
  return common(failure) ?? sourceError("denied", `the 1Password app refused the sign-in: ${message}`, {
    hint:
      "approve its prompt, and check that desktop: {account} is an account in the app: its name or its id",
  });
}

function callError(failure: Failure): AppError {
  const { name, message } = said(failure.text);
  if (name === SESSION_EXPIRED || name === "AuthExpired") {
    return sourceError("denied", "the 1Password app has ended the session", {
      hint: "keep the app unlocked while the backup is made",
    });
  }
  if (name === APP_SILENT || isConnection(message)) {
    return sourceError("transient", `cannot reach the 1Password app: ${message}`, {
      hint:
        "keep the app open and unlocked while the backup is made; where it hangs, quit it and open it again",
    });
  }
  if (/failed to authenticate|not authenticated/.test(message)) {
    return sourceError("denied", "1Password no longer accepts the sign-in of the 1Password app", {
      hint: "open the app and sign in there again",
    });
  }
  return common(failure) ?? lackingError(failure, "1Password does not allow this account to read that");
}

function common(failure: Failure): AppError | undefined {
  const { name, message } = said(failure.text);
  if (name === APP_GARBLED) {
    return sourceError("unknown", `the 1Password app gave an answer that makes no sense: ${message}`, {
      hint: "update the 1Password app, or vaultferry",
    });
  }
  const known = general(failure);
  if (known || !/error sending request|retrieving response|network|timed out/i.test(message)) return known;
  return sourceError("transient", `the 1Password app cannot reach 1Password: ${message}`, {
    hint: "check the network, and https://status.1password.com",
  });
}

/** What the library says when there is no app at its other end, or one that lets nobody in. */
function isConnection(message: string): boolean {
  return /channel is closed|connection was .*dropped|return code|not running|is enabled/i.test(message);
}
