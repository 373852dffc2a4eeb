import { AppError } from "../errors.ts";
import { concat, utf8 } from "../bytes.ts";
import type { Socket } from "./contract.ts";

/** The longest head of an answer, in bytes. */
const HEAD_LIMIT = 64 * 1024;

/** How the end of a body is told. */
export type Framing = { kind: "length"; length: number } | { kind: "chunked" } | { kind: "close" };

export interface AnswerHead {
  status: number;
  headers: Headers;
  framing: Framing;
  /** Whether the connection may be used again. */
  keep: boolean;
}

/** The bytes of a request line and headers. */
export function requestHead(method: string, target: string, headers: Headers): Uint8Array<ArrayBuffer> {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
  // What could end a line early must not get into one.
  if (/[^\x20-\x7e\r\n]/.test(head) || /[\r\n\s]/.test(method + target)) {
    throw new AppError("misconfigured", "a request would hold characters that HTTP does not know");
  }
  return utf8(head);
}

/** What comes out of a connection, in lines and in bytes. */
export class Incoming {
  #rest: Uint8Array = new Uint8Array();

  constructor(readonly socket: Pick<Socket, "read">, readonly moved: () => void) {}

  /** The next bytes, at most `most`; undefined at the end of the connection. */
  async some(most = Infinity): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0) {
      const bytes = await this.socket.read();
      if (bytes === undefined) return undefined;
      this.moved();
      this.#rest = bytes;
    }
    const bytes = this.#rest.subarray(0, Math.min(most, this.#rest.length));
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  /** The next line without its end; undefined at the end of the connection. */
  async line(limit: number): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const bytes = await this.some();
      if (bytes === undefined) return undefined;
      const end = bytes.indexOf(10);
      const part = end < 0 ? bytes : bytes.subarray(0, end);
      parts.push(part);
      size += part.length;
      if (size > limit) throw noHttp();
      if (end < 0) continue;
      this.#rest = bytes.subarray(end + 1);
      return Array.from(concat(parts), (byte) => String.fromCharCode(byte)).join("").replace(/\r$/, "");
    }
  }

  /** Whether bytes are here that nobody asked for. */
  get left(): boolean {
    return this.#rest.length > 0;
  }
}

/** The head of the answer to `method`; undefined when the connection ended before its first byte. */
export async function readHead(incoming: Incoming, method: string): Promise<AnswerHead | undefined> {
  for (let first = true;; first = false) {
    const line = await incoming.line(HEAD_LIMIT);
    if (line === undefined && first) return undefined;
    const [, minor, code] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(line ?? "") ?? [];
    if (line === undefined || code === undefined) throw line === undefined ? cutHead() : noHttp();
    const headers = await readHeaders(incoming);
    const status = Number(code);
    // 100 Continue and its like come before the answer itself.
    if (status >= 200) return judge(status, minor!, headers, method);
    if (status === 101) throw noHttp();
  }
}

async function readHeaders(incoming: Incoming): Promise<Headers> {
  const headers = new Headers();
  for (let left = HEAD_LIMIT;;) {
    const line = await incoming.line(left);
    if (line === undefined) throw cutHead();
    if (line === "") return headers;
    left -= line.length;
    const colon = line.indexOf(":");
    try {
      if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    } catch {
      // a header that no header can be is none that we look for
    }
  }
}

function judge(status: number, minor: string, headers: Headers, method: string): AnswerHead {
  const said = (headers.get("connection") ?? "").toLowerCase();
  const keep = minor === "1" ? !/\bclose\b/.test(said) : /\bkeep-alive\b/.test(said);
  const head = (framing: Framing) => ({ status, headers, framing, keep: keep && framing.kind !== "close" });
  if (method === "HEAD" || status === 204 || status === 304) return head({ kind: "length", length: 0 });
  const encoding = headers.get("transfer-encoding");
  if (encoding !== null) {
    if (!/^\s*chunked\s*$/i.test(encoding)) throw noHttp();
    return head({ kind: "chunked" });
  }
  const lengths = new Set((headers.get("content-length") ?? "").split(",").map((one) => one.trim()));
  lengths.delete("");
  if (lengths.size === 0) return head({ kind: "close" });
  const [length] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length!)) throw noHttp();
  return head({ kind: "length", length: Number(length) });
}

/** The bytes of a body; throws `transient` when the connection ends before it does. */
export async function* readBody(incoming: Incoming, framing: Framing): AsyncGenerator<Uint8Array, void> {
  if (framing.kind === "length") return yield* exactly(incoming, framing.length);
  if (framing.kind === "close") {
    for (let bytes = await incoming.some(); bytes; bytes = await incoming.some()) yield bytes;
    return;
  }
  for (;;) {
    const line = await incoming.line(1024);
    if (line === undefined) throw cutBody();
    const [, size] = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line) ?? [];
    if (size === undefined) throw noHttp();
    if (Number.parseInt(size, 16) === 0) break;
    yield* exactly(incoming, Number.parseInt(size, 16));
    const end = await incoming.line(2);
    if (end === undefined) throw cutBody();
    if (end !== "") throw noHttp();
  }
  await readHeaders(incoming); // trailers
}

async function* exactly(incoming: Incoming, length: number): AsyncGenerator<Uint8Array, void> {
  for (let left = length; left > 0;) {
    const bytes = await incoming.some(left);
    if (bytes === undefined) throw cutBody(length - left, length);
    left -= bytes.length;
    yield bytes;
  }
}

function cutHead(): AppError {
  return new AppError("transient", "the connection ended in the middle of an answer");
}

function cutBody(came?: number, length?: number): AppError {
  const how = came === undefined ? "before the end of the answer" : `after ${came} of ${length} bytes`;
  return new AppError("transient", `the connection ended ${how}`);
}

function noHttp(): AppError {
  return new AppError("misconfigured", "what answers there does not speak HTTP as it should", {
    hint: "check the address and the port",
  });
}
