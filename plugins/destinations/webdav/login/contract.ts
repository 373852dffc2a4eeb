/** How requests say who asks. */
export interface Login {
  /** The schemes that it knows, in lower case. */
  readonly schemes: readonly string[];
  /** The value of `authorization` for a request; undefined while the server has not said how to sign in. */
  authorize(method: string, target: string): string | undefined;
  /** A request that `sent` was good for was not refused. */
  accepted(sent: string | undefined): void;
  /**
   * A request with `sent` was answered with 401 and these `www-authenticate` headers: whether there is another way to
   * say it, so that it makes sense to ask once more.
   */
  refused(challenges: string, sent: string | undefined): boolean;
}

/** The same for every request: a token, a password that is always sent, or (undefined) nothing at all. */
export function fixedLogin(value: string | undefined): Login {
  const schemes = value === undefined ? [] : [value.slice(0, value.indexOf(" ")).toLowerCase()];
  return { schemes, authorize: () => value, accepted() {}, refused: () => false };
}
