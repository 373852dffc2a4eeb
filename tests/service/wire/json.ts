/** Anything that JSON can say. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object. `undefined` members are allowed and vanish when written. */
export interface JsonObject {
  [name: string]: Json | undefined;
}

/** The value as an object, or `undefined` when it is anything else. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}

/** The value as an array, empty when it is anything else. */
export function asArray(value: unknown): Json[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a string, empty when it is anything else. */
export function asString(value: unknown): string {
  return typeof value === "string" ? value : "";
}
