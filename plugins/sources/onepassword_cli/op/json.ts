import { fromUtf8 } from "../../../../src/base/bytes.ts";
import { opFailure } from "./errors.ts";

/**
 * Looking into what `op` prints, of which only the rough shape is known: what has another type than expected reads as
 * absent. That loses nothing, because an item keeps all of it under `raw`.
 */

export type JsonObject = Record<string, unknown>;

/** The object, or one without anything. */
export function objectOf(json: unknown): JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? json as JsonObject : {};
}

/** The objects in a list; anything else in it is passed over. */
export function objectsIn(json: unknown): JsonObject[] {
  return Array.isArray(json) ? json.map(objectOf).filter((one) => Object.keys(one).length > 0) : [];
}

/** A text; numbers and truth values as they are written. */
export function textOf(json: unknown): string {
  if (typeof json === "string") return json;
  return typeof json === "number" || typeof json === "boolean" ? String(json) : "";
}

/** A whole number that is not negative. */
export function countOf(json: unknown): number | undefined {
  return typeof json === "number" && Number.isSafeInteger(json) && json >= 0 ? json : undefined;
}

/** RFC 3339 in UTC; `op` writes local times with fractions of a second for some. */
export function timeOf(json: unknown): string | undefined {
  const date = new Date(textOf(json));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace(".000Z", "Z");
}

/**
 * The JSON in `bytes`. The parser's own words are not kept: they quote the text, and the text is full of secrets.
 *
 * @throws `unknown`
 */
export function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes, "the answer of op"));
  } catch {
    throw opFailure("unknown", "op answered with something else than JSON");
  }
}

/**
 * The objects in a list that `op` printed, each with its id; a list that is not understood is not an empty one.
 *
 * @throws `unknown`
 */
export function listOf(json: unknown, what: string): (JsonObject & { id: string })[] {
  if (json === null) return []; // how Go prints a list that nothing was put into
  if (Array.isArray(json) && json.every((one) => textOf(objectOf(one).id) !== "")) return json;
  throw opFailure("unknown", `op answered with a list of ${what} of an unknown shape`, {
    hint: "a newer vaultferry may know it; nothing was changed",
  });
}
