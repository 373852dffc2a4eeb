/** A value that must never be printed, logged or serialised by accident. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}

/** What stands in the place of a secret. */
export const REDACTED = "[redacted]";

/**
 * A net under the discipline: replaces what looks like one of the secrets we handle (age identities,
 * service-account tokens, SAS signatures, passwords in URLs, bearer tokens) in a text about to be printed.
 */
export function redact(text: string): string {
  return text
    .replace(/AGE-SECRET-KEY-[A-Z0-9-]+/gi, "AGE-SECRET-KEY-" + REDACTED)
    .replace(/\bops_[A-Za-z0-9+/_-]{16,}=*/g, "ops_" + REDACTED)
    .replace(/((?:^|[?&\s"'])(?:sig|X-Amz-Signature|X-Goog-Signature)=)[^&\s"']+/gi, "$1" + REDACTED)
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@"']*:)[^@\s/"']+@/gi, "$1" + REDACTED + "@")
    .replace(/\b(Bearer|bearer|Basic) [A-Za-z0-9+/._~-]{8,}=*/g, "$1 " + REDACTED);
}
