import { sha256Hex } from "../../../src/base/hash.ts";

/**
 * Looking into JSON of which only the rough shape is known. What has another type than expected reads as absent:
 * that loses nothing, because an item keeps all of it under `raw`.
 */

export type JsonObject = Record<string, unknown>;

export function isObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The object, or one without anything. */
export function objectOf(json: unknown): JsonObject {
  return isObject(json) ? json : {};
}

/** The objects in a list; other things in it are passed over. */
export function objectsOf(json: unknown): JsonObject[] {
  return Array.isArray(json) ? json.filter(isObject) : [];
}

/** A text; numbers and truth values as they are written. */
export function textOf(json: unknown): string {
  return typeof json === "string" ? json : isPlain(json) ? String(json) : "";
}

function isPlain(json: unknown): json is number | boolean {
  return typeof json === "number" || typeof json === "boolean";
}

/** An id: any text but the empty one. A number is one too; the rest is none. */
export function idOf(json: unknown): string | undefined {
  if (typeof json === "number") return String(json);
  return typeof json === "string" && json !== "" ? json : undefined;
}

/** An id for what has none: the same as long as `parts` are, so that later backups find the same thing again. */
export function madeId(...parts: unknown[]): string {
  return sha256Hex(JSON.stringify(parts));
}

/** RFC 3339 of seconds since 1970; undefined when it is no such number. */
export function timeOf(json: unknown): string | undefined {
  const date = new Date(typeof json === "number" ? json * 1000 : NaN);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return undefined;
  return date.toISOString().replace(".000Z", "Z");
}

/** Nothing of 1Password is nested nearly as deep; JSON that is would end the program when it is written again. */
const DEEPEST = 100;

export function isTooDeep(json: unknown, depth = 0): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (depth >= DEEPEST) return true;
  for (const part of Object.values(json)) {
    if (isTooDeep(part, depth + 1)) return true;
  }
  return false;
}
