import { printable } from "../base/safe_names.ts";
import { redact, REDACTED, type Secret } from "../base/secret.ts";

/**
 * A text of a library or a service as one that may be shown: one line, no query of a URL (a SAS or a signature is
 * one), no user of a URL, no credentials of a header, and none of `secrets` in any spelling.
 */
export function scrubbed(text: string, secrets: readonly Secret[] = []): string {
  let shown = text;
  for (const secret of secrets) {
    const value = secret.reveal();
    for (const spelling of new Set([value, encodeURIComponent(value), encodeURI(value)])) {
      if (spelling.length > 3) shown = shown.replaceAll(spelling, REDACTED);
    }
  }
  shown = shown
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s@"'?#]*@/gi, "$1")
    .replace(/([^\s"'<>?]+)\?[^\s"'<>]*=[^\s"'<>]*/g, "$1")
    .replace(
      /\b((?:proxy-)?authorization|x-amz-security-token|x-ms-copy-source)\s*[:=]\s*.*$/gim,
      `$1: ${REDACTED}`,
    );
  return printable(redact(shown).replace(/\s+/g, " ").trim());
}

/** A stranger's sentence in the house's voice: no capital at the start, no full stop, not endless. */
export function inOurVoice(text: string): string {
  const sentence = text.replace(/^[A-Z](?=[a-z]+(?:[\s.,:;]|$))/, (first) => first.toLowerCase())
    .replace(/[.\s]+$/, "");
  return sentence.length <= 300 ? sentence : `${sentence.slice(0, 300).replace(/[\ud800-\udbff]$/, "")}…`;
}
