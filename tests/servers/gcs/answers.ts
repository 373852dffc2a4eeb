import type http from "node:http";

/** A refusal as Google's JSON API words it. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly reason: string, message: string = reason) {
    super(message);
  }
}

export const noBucket = () => new Refusal(404, "notFound", "The specified bucket does not exist.");
export const noObject = (bucket: string, name: string) =>
  new Refusal(404, "notFound", `No such object: ${bucket}/${name}`);
export const unmet = () =>
  new Refusal(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");

/** Sends JSON, of it only what `fields` selects. */
export function sayJson(
  answer: http.ServerResponse,
  value: unknown,
  { status = 200, fields = null, headers = {} }: {
    status?: number;
    fields?: string | null;
    headers?: Record<string, string>;
  } = {},
): void {
  const text = JSON.stringify(fields === null ? value : selected(value, parseFields(fields)));
  say(answer, status, text, { "content-type": "application/json; charset=UTF-8", ...headers });
}

export function sayRefusal(answer: http.ServerResponse, refusal: Refusal): void {
  const { status, reason, message } = refusal;
  const error = { code: status, message, errors: [{ message, domain: "global", reason }] };
  sayJson(answer, { error }, { status });
}

export function say(
  answer: http.ServerResponse,
  status: number,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
): void {
  if (answer.headersSent) return void answer.destroy();
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const length = status === 204 ? {} : { "content-length": String(bytes.length) };
  answer.writeHead(status, { date: new Date().toUTCString(), ...length, ...headers });
  answer.end(status === 204 ? undefined : bytes);
}

/** What a partial answer holds: a name, and what of it. */
type Fields = Map<string, Fields | true>;

/** `kind,items(name,size)`, as far as Google's grammar is used by anybody here. */
export function parseFields(text: string): Fields {
  const tokens = text.match(/[A-Za-z0-9*]+|[(),/]/g) ?? [];
  if (tokens.join("") !== text) throw invalidFields(text);
  const list = (): Fields => {
    const fields: Fields = new Map();
    do {
      const name = tokens.shift();
      if (name === undefined || !/^[A-Za-z*]/.test(name)) throw invalidFields(text);
      if (tokens[0] === "/") {
        tokens.shift();
        fields.set(name, list());
      } else if (tokens[0] === "(") {
        tokens.shift();
        fields.set(name, list());
        if (tokens.shift() !== ")") throw invalidFields(text);
      } else fields.set(name, true);
    } while (tokens[0] === "," && tokens.shift());
    return fields;
  };
  const fields = list();
  if (tokens.length > 0) throw invalidFields(text);
  return fields;
}

function selected(value: unknown, fields: Fields): unknown {
  if (fields.has("*")) return value;
  if (Array.isArray(value)) return value.map((one) => selected(one, fields));
  const chosen = Object.entries(value as Record<string, unknown>).flatMap(([name, part]) => {
    const below = fields.get(name);
    return below === undefined ? [] : [[name, below === true ? part : selected(part, below)]];
  });
  return Object.fromEntries(chosen);
}

function invalidFields(text: string): Refusal {
  return new Refusal(400, "invalidParameter", `Invalid field selection ${text}`);
}
