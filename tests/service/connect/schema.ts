import { asObject, type Json, type JsonObject } from "../wire/json.ts";

/** Keywords that say nothing about a value by themselves. */
const ANNOTATIONS = ["description", "example", "default", "readOnly"];
const KEYWORDS = new Set([
  ...["type", "properties", "required", "items", "enum", "pattern", "format", "allOf", "$ref"],
  ...["minimum", "maximum", "uniqueItems"],
  ...ANNOTATIONS,
]);

/** Formats, and what a text of each looks like; "binary" and "password" are any text. */
const FORMATS: Record<string, (text: string) => boolean> = {
  "date-time": (text) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  url: (text) => URL.canParse(text),
  byte: (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0,
  binary: () => true,
};

/**
 * Checks values against the schemas of an OpenAPI 3.0 document. Stricter than the standard in one way: a property that
 * the schema does not name is a problem, because a description that requires next to nothing would let anything pass.
 */
export class Schemas {
  constructor(readonly document: JsonObject) {}

  /** Everything in `value` that `schema` does not allow, each with the place where it is. */
  problems(schema: JsonObject, value: Json | undefined, at = ""): string[] {
    const problems = this.#problems(schema, value, at);
    const object = asObject(value);
    if (!object) return problems;
    const known = this.#properties(schema);
    // One without any properties is free.
    if (known.size > 0) {
      for (const name of Object.keys(object)) {
        if (!known.has(name)) problems.push(`${at}/${name}: is not described`);
      }
    }
    return problems;
  }

  /** Throws when a schema uses a keyword that nobody here would check. */
  checkKeywords(schema: JsonObject): void {
    for (const keyword of Object.keys(schema)) {
      if (!KEYWORDS.has(keyword)) {
        throw new Error(`the description uses "${keyword}", which is not understood here`);
      }
    }
    const format = schema.format;
    if (format !== undefined && !Object.hasOwn(FORMATS, String(format))) {
      throw new Error(`the description uses the format "${format}", which is not understood here`);
    }
    if (schema.$ref !== undefined) return this.checkKeywords(this.resolve(schema));
    for (const part of this.#allOf(schema)) this.checkKeywords(part);
    for (const part of Object.values(asObject(schema.properties) ?? {})) this.checkKeywords(asObject(part)!);
    const items = asObject(schema.items);
    if (items) this.checkKeywords(items);
  }

  /** The schema itself, where it is a reference to one. */
  resolve(schema: JsonObject): JsonObject {
    if (schema.$ref === undefined) return schema;
    const path = String(schema.$ref).split("/");
    if (path[0] !== "#") throw new Error(`the description refers to ${schema.$ref}, outside of itself`);
    let found: Json | undefined = this.document;
    for (const part of path.slice(1)) found = asObject(found)?.[part];
    const object = asObject(found);
    if (!object) throw new Error(`the description refers to ${schema.$ref}, which is not there`);
    return this.resolve(object);
  }

  #problems(given: JsonObject, value: Json | undefined, at: string): string[] {
    const schema = this.resolve(given);
    const problems = this.#allOf(schema).flatMap((part) => this.#problems(part, value, at));
    const { type, minimum, maximum } = schema;
    if (type !== undefined && typeOf(value, type === "integer") !== type) {
      return [...problems, `${at || "/"}: is no ${type}`];
    }
    if (Array.isArray(schema.enum) && !schema.enum.some((one) => one === value)) {
      problems.push(`${at}: ${JSON.stringify(value)} is none of ${schema.enum.join(", ")}`);
    }
    if (typeof value === "number") {
      if (typeof minimum === "number" && value < minimum) problems.push(`${at}: is below ${minimum}`);
      if (typeof maximum === "number" && value > maximum) problems.push(`${at}: is above ${maximum}`);
    }
    if (typeof value === "string") problems.push(...textProblems(schema, value, at));
    if (Array.isArray(value)) {
      const items = asObject(schema.items);
      if (items) value.forEach((one, index) => problems.push(...this.problems(items, one, `${at}/${index}`)));
      if (schema.uniqueItems && new Set(value.map((one) => JSON.stringify(one))).size < value.length) {
        problems.push(`${at}: holds something twice`);
      }
    }
    const object = asObject(value);
    if (object) problems.push(...this.#inside(schema, object, at));
    return problems;
  }

  #inside(schema: JsonObject, object: JsonObject, at: string): string[] {
    const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
    const missing = required.filter((name) => object[name] === undefined);
    const properties = Object.entries(asObject(schema.properties) ?? {});
    return [
      ...missing.map((name) => `${at}/${name}: is missing`),
      ...properties.filter(([name]) => object[name] !== undefined)
        .flatMap(([name, part]) => this.problems(asObject(part)!, object[name], `${at}/${name}`)),
    ];
  }

  /** Names of the properties that the schema and its parts describe. */
  #properties(given: JsonObject): Set<string> {
    const schema = this.resolve(given);
    const own = Object.keys(asObject(schema.properties) ?? {});
    return new Set([...own, ...this.#allOf(schema).flatMap((part) => [...this.#properties(part)])]);
  }

  #allOf(schema: JsonObject): JsonObject[] {
    return Array.isArray(schema.allOf) ? schema.allOf.map((part) => asObject(part)!) : [];
  }
}

function textProblems(schema: JsonObject, text: string, at: string): string[] {
  const problems: string[] = [];
  if (schema.pattern !== undefined && !new RegExp(String(schema.pattern), "u").test(text)) {
    problems.push(`${at}: ${JSON.stringify(text)} does not match ${schema.pattern}`);
  }
  if (schema.format !== undefined && !FORMATS[String(schema.format)]?.(text)) {
    problems.push(`${at}: ${JSON.stringify(text)} is no ${schema.format}`);
  }
  return problems;
}

function typeOf(value: Json | undefined, whole: boolean): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return whole && Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
