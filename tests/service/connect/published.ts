import { parse } from "yaml";
import { asArray, asObject, asString, type Json, type JsonObject } from "../wire/json.ts";
import { Schemas } from "./schema.ts";

/** An answer as it is about to be sent. */
export interface Answer {
  status: number;
  contentType: string;
  body: Json | Uint8Array;
  /** Whether it is an error that was asked for: it may have a status that its operation does not describe. */
  injected?: boolean;
}

interface Operation {
  id: string;
  pattern: RegExp;
  parameters: JsonObject[];
  responses: JsonObject;
}

/**
 * Answers that the description leaves out and Connect gives all the same: a token reaches no vault that it was not made
 * for, whatever is asked of it. A test checks that they are left out still.
 */
export const LEFT_OUT: readonly (readonly [operation: string, status: number])[] = [
  ["GetVaultItems", 403],
  ["GetItemFiles", 403],
  ["DownloadFileByID", 403],
];

/** Connect's published OpenAPI description: what it allows to be asked and answered. */
export class Published {
  readonly schemas: Schemas;
  readonly #operations: Operation[];

  constructor(readonly document: JsonObject) {
    this.schemas = new Schemas(document);
    this.#operations = this.#readOperations();
  }

  static async read(path: string | URL): Promise<Published> {
    return new Published(parse(await Deno.readTextFile(path)));
  }

  get version(): string {
    return asString(asObject(this.document.info)?.version);
  }

  /** Whether an operation describes answers of this status. */
  describes(operation: string, status: number): boolean {
    const found = this.#operations.find(({ id }) => id === operation);
    if (!found) throw new Error(`the description has no operation ${operation}`);
    return found.responses[status] !== undefined;
  }

  /** What is wrong with a GET request for this address. */
  request(url: URL): string[] {
    const operation = this.#find(url.pathname);
    if (!operation) return [`GET ${url.pathname}: is not described`];
    const values = operation.pattern.exec(url.pathname)?.groups ?? {};
    const problems: string[] = [];
    for (const parameter of operation.parameters.filter((one) => one.in === "path")) {
      // Of ids the description says elsewhere what they look like; as "uuid" it means no UUID of RFC 4122.
      const { format: _, ...schema } = asObject(parameter.schema) ?? {};
      const name = asString(parameter.name);
      problems.push(...this.schemas.problems(schema, values[name], `${operation.id}/${name}`));
    }
    const known = operation.parameters.filter((one) => one.in === "query").map(({ name }) => name);
    for (const name of url.searchParams.keys()) {
      if (!known.includes(name)) problems.push(`${operation.id}?${name}: is not described`);
    }
    return problems;
  }

  /** What is wrong with an answer to a GET request for this path. */
  answer(path: string, { status, contentType, body, injected }: Answer): string[] {
    const operation = this.#find(path);
    const at = `${operation?.id ?? path} ${status}`;
    const leftOut = injected || !operation ||
      LEFT_OUT.some(([id, allowed]) => id === operation.id && allowed === status);
    const response = asObject(operation?.responses[status]) ?? (leftOut ? this.#anError() : undefined);
    if (!response) return [`${at}: is not described`];
    const content = asObject(asObject(response.content)?.[contentType]);
    if (!content) return [`${at}: is not described as ${contentType}`];
    if (body instanceof Uint8Array) return [];
    const problems = this.schemas.problems(asObject(content.schema)!, body, at);
    return status === 200 ? problems : [...problems, ...errorProblems(status, body, at)];
  }

  #find(path: string): Operation | undefined {
    return this.#operations.find(({ pattern }) => pattern.test(path));
  }

  #anError(): JsonObject {
    const schema = { $ref: "#/components/schemas/ErrorResponse" };
    return { content: { "application/json": { schema } } };
  }

  #readOperations(): Operation[] {
    const { paths, servers } = this.document;
    return Object.entries(asObject(paths) ?? {}).flatMap(([path, given]): Operation[] => {
      const item = asObject(given) ?? {};
      const get = asObject(item.get);
      if (!get) return [];
      const base = new URL(asString(asObject(asArray(get.servers ?? servers)[0])?.url)).pathname.replace(
        /\/$/,
        "",
      );
      const pattern = (base + path).replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
      const responses = asObject(get.responses) ?? {};
      for (const response of Object.values(responses)) {
        for (const content of Object.values(asObject(asObject(response)?.content) ?? {})) {
          this.schemas.checkKeywords(asObject(asObject(content)?.schema)!);
        }
      }
      const parameters = [...asArray(item.parameters), ...asArray(get.parameters)].map((one) =>
        asObject(one)!
      );
      return [{ id: asString(get.operationId), pattern: new RegExp(`^${pattern}$`), parameters, responses }];
    });
  }
}

/** The description requires nothing of an error, so that `{}` would be one; Connect's say their status and why. */
function errorProblems(status: number, body: Json, at: string): string[] {
  const error = asObject(body);
  const problems: string[] = [];
  if (error?.status !== status) problems.push(`${at}/status: is ${error?.status}`);
  if (!error?.message) problems.push(`${at}/message: is missing`);
  return problems;
}
