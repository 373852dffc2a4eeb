import type { z } from "zod";
import { nearest } from "../base/nearest.ts";
import { printable } from "../base/safe_names.ts";
import { redact } from "../base/secret.ts";
import type { ConfigDocument, ConfigPath, Problem } from "./document.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** The only keys whose values may stand in a message: they are words, everything else might be a secret. */
const SHOWN = new Set<PropertyKey | undefined>(["type", "version", "compression", "name"]);

/**
 * The schema's issues in our words, for `schema.safeParse(value, { error: phrase })`: it also serves the plugins,
 * whose schemas then need messages of their own only for what is particular to them.
 * For unknown keys it gives one line for each of them.
 */
export const phrase: z.core.$ZodErrorMap = (issue: RawIssue): string => {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.inst);
    return issue.keys.map((key) => unknownKey(key, known)).join("\n");
  }
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? "is not allowed as a key";
  const value = issue.code === "invalid_union" && issue.discriminator
    ? (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator]
    : issue.input;
  if (value === null) return "is empty";
  if (value === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return mustBe([issue.expected], value);
    case "invalid_value":
      return mustBeOneOf(issue.values, value, issue.path?.at(-1));
    case "invalid_union":
      if (issue.discriminator) {
        return mustBeOneOf(issue.options as unknown[] ?? [], value, issue.discriminator);
      }
      return mustBe(
        issue.errors.flatMap((branch) => branch.filter(refusesKind).map((one) => one.expected)),
        value,
      );
    case "too_small":
    case "too_big":
      return size(issue);
    case "invalid_format":
      if (issue.format === "url") return "is not a URL";
      return issue.format === "starts_with" ? `must start with "${issue.prefix}"` : "has the wrong form";
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    default:
      return "is not allowed";
  }
};

/** What the schema found, with the places in the text. */
export function problemsOf(issues: readonly Issue[], document: ConfigDocument): Problem[] {
  return issues.flatMap((issue) => expand(issue, [])).flatMap(({ issue, path }) => {
    if (issue.code === "unrecognized_keys") {
      const lines = issue.message.split("\n");
      return issue.keys.map((key, index) => ({
        ...document.positionOf([...path, key], "key"),
        path,
        message: lines[index] ?? "unknown key",
      }));
    }
    const part = issue.code === "invalid_key" ? "key" : "value";
    return [{ ...document.positionOf(path, part), path, message: printable(redact(issue.message)) }];
  });
}

/** `jobs.acme.recipients[0]`; keys that might be a secret are left out. */
export function pathText(path: ConfigPath): string {
  return path.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    return (index === 0 ? "" : ".") + (shown(String(step)) ?? "…");
  }).join("");
}

/** Takes unions apart: what counts is the one alternative that is of the right kind. */
function expand(issue: Issue, above: ConfigPath): { issue: Issue; path: ConfigPath }[] {
  const path = [...above, ...issue.path];
  if (issue.code === "invalid_union") {
    const fitting = issue.errors
      .filter((branch) => !branch.some((one) => one.path.length === 0 && refusesKind(one)))
      .sort((one, other) => one.length - other.length)[0];
    if (fitting) return fitting.flatMap((one) => expand(one, path));
  }
  return [{ issue, path }];
}

function refusesKind(issue: Issue): issue is z.core.$ZodIssueInvalidType {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

function knownKeys(schema: unknown): string[] {
  const definition = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def;
  return Object.keys(definition?.shape ?? {});
}

function unknownKey(key: string, known: readonly string[]): string {
  const text = shown(key);
  const meant = nearest(key, known);
  return `unknown key${text === undefined ? "" : ` "${text}"`}${
    meant === undefined ? "" : ` (did you mean "${meant}"?)`
  }`;
}

/** `text` where it may be printed: short, and unlike any token, password or key. */
function shown(text: string): string | undefined {
  const word = /^[\p{L}\p{N}_ -]{1,40}$/u.test(text) && redact(text) === text;
  const random = /\d/.test(text) &&
    (text.length > 20 || text.length > 7 && /[a-z]/.test(text) && /[A-Z]/.test(text));
  return word && !random ? text : undefined;
}

function mustBeOneOf(values: readonly unknown[], value: unknown, key: PropertyKey | undefined): string {
  const words = values.map((word) => typeof word === "string" ? `"${word}"` : String(word));
  const known = words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  if (typeof value === "object") return `must be ${known}, not ${kindOf(value)}`;
  const text = SHOWN.has(key) ? shown(String(value)) : undefined;
  if (text === undefined) return `must be ${known}`;
  const meant = nearest(text, values.filter((word) => typeof word === "string"));
  const guess = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
  return `must be ${known}, not ${typeof value === "string" ? `"${text}"` : text}${guess}`;
}

const KINDS: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function mustBe(expected: readonly string[], value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) return "must be a finite number";
  const kinds = [...new Set(expected.map((kind) => KINDS[kind] ?? kind))];
  const number = typeof value === "number" && expected.includes("int");
  const quote = expected.includes("string") && typeof value !== "object" ? " (put it in quotes)" : "";
  return `must be ${kinds.join(" or ") || "something else"}${number ? "" : `, not ${kindOf(value)}`}${quote}`;
}

function kindOf(value: unknown): string {
  const kind = Array.isArray(value) ? "array" : typeof value;
  return KINDS[kind] ?? kind;
}

function size(issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig>): string {
  const small = issue.code === "too_small";
  const limit = Number(small ? issue.minimum : issue.maximum);
  if (small && limit === 1 && issue.origin === "string") return "is empty";
  if (small && limit === 1 && issue.origin === "array") return "is an empty list";
  if (issue.origin === "string") return `must be ${small ? "at least" : "at most"} ${limit} characters long`;
  if (issue.origin === "array") return `must hold ${small ? "at least" : "at most"} ${limit} entries`;
  if (issue.inclusive) return `must be ${small ? "at least" : "at most"} ${limit}`;
  return `must be ${small ? "more" : "less"} than ${limit}`;
}
