import { concat } from "../../base/bytes.ts";
import { isAppError } from "../../base/errors.ts";

/** What a service says of a refusal in words of its own. */
export interface Problem {
  /** A word such as `AuthorizationFailure` or `conditionNotMet`; undefined where it has none. */
  code: string | undefined;
  /** A sentence; may hold anything, so it is scrubbed before it is shown. */
  message: string | undefined;
}

/** Bytes of an answer that are looked at. */
const LIMIT = 16 * 1024;

/** Reads the beginning of an answer and finds what Azure, S3 (XML), Google (JSON) and WebDAV (XML) put there. */
export async function readProblem(answer: Response): Promise<Problem> {
  return problemIn(await beginningOf(answer), answer.headers);
}

/** The same, of a text. */
export function problemIn(text: string, headers: Headers): Problem {
  const code = headers.get("x-ms-error-code") ?? undefined;
  if (/^\s*\{/.test(text)) {
    const found = inJson(text);
    return { code: word(code ?? found.code), message: found.message };
  }
  const message = element(text, "Message") ?? element(text, "message");
  return { code: word(code ?? element(text, "Code")), message: message?.split("\n")[0] };
}

function inJson(text: string): Problem {
  try {
    const { error, error_description } = JSON.parse(text);
    if (typeof error === "string") return { code: error, message: textOf(error_description) };
    const reason = error?.errors?.[0]?.reason ?? error?.status;
    return { code: textOf(reason), message: textOf(error?.message)?.split("\n")[0] };
  } catch {
    return { code: undefined, message: undefined }; // cut off, or no JSON after all
  }
}

function element(text: string, name: string): string | undefined {
  const found = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)</`).exec(text)?.[1];
  return found?.replace(/&(lt|gt|quot|apos|amp);/g, (_, one: keyof typeof ENTITIES) => ENTITIES[one])
    .trim() ||
    undefined;
}

const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** Only what is one word: a code is put into sentences as it is. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z][A-Za-z0-9._-]{0,80}$/.test(text) ? text : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function beginningOf(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of answer.body ?? []) {
      parts.push(part);
      size += part.length;
      if (size >= LIMIT) break; // leaving the loop cancels the rest
    }
  } catch (error) {
    if (isAppError(error, "cancelled")) throw error;
    // What has come is all there is; the status says enough.
  }
  return new TextDecoder().decode(concat(parts).subarray(0, LIMIT));
}
