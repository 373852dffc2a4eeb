import type http from "node:http";
import { concat } from "../../src/base/bytes.ts";

/** All of a request's body; undefined when the connection ended before it did. */
export async function bodyOf(request: http.IncomingMessage): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of request) parts.push(part);
  } catch {
    return undefined;
  }
  return request.complete ? concat(parts) : undefined;
}
