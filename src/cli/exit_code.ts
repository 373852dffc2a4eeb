import { type AppError, isAppError } from "../base/errors.ts";

/** Exit codes, as scripts and timers rely on them (DESIGN "Exit codes"; README has the table for people). */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  gaps: 3,
  someDestinations: 4,
  nothingFound: 10,
  locked: 11,
  wrongIdentity: 12,
  signInRefused: 13,
  quota: 14,
  integrity: 15,
  tryLater: 75,
  interrupted: 130,
  terminated: 143,
} as const;

/** Worst first: a run in which several things went wrong exits with the first of them. */
const ORDER: readonly number[] = [130, 143, 15, 2, 13, 14, 1, 12, 11, 75, 4, 3, 10];

/** The exit code of a run in which all of these happened. */
export function worst(codes: Iterable<number>): number {
  const all = new Set(codes);
  for (const code of ORDER) if (all.has(code)) return code;
  return EXIT.ok;
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: AppError): number {
  if (isAppError(error, "denied")) return error.origin === "source" ? EXIT.signInRefused : EXIT.failure;
  switch (error.code) {
    case "misconfigured":
      return EXIT.usage;
    case "not-found":
      return EXIT.nothingFound;
    case "locked":
      return EXIT.locked;
    case "wrong-identity":
      return EXIT.wrongIdentity;
    case "quota":
      return error.origin === "destination" ? EXIT.failure : EXIT.quota; // a full disk is not 1Password's quota
    case "corrupt":
    case "untrusted":
      return EXIT.integrity;
    case "transient":
      return EXIT.tryLater;
    case "cancelled":
      return EXIT.interrupted;
    default:
      return EXIT.failure;
  }
}
