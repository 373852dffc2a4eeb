/** What a server asks for with a 401. */
export interface Challenge {
  /** In lower case. */
  scheme: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

/**
 * A name alone (a scheme), or with its value. What is no such thing (the base64 of `Negotiate`) is passed over.
 */
const PART = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=]+)))?=*/g;

/** The challenges of `www-authenticate` headers, several of which may have been joined with commas. */
export function challengesIn(text: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const [, name, inQuotes, plain] of text.matchAll(PART)) {
    const value = inQuotes?.replace(/\\(.)/g, "$1") ?? plain;
    if (value === undefined) found.push({ scheme: name!.toLowerCase(), parameters: new Map() });
    else found.at(-1)?.parameters.set(name!.toLowerCase(), value);
  }
  return found;
}
