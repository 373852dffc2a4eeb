import { Buffer } from "node:buffer";
import { Refusal } from "./answers.ts";
import type { ObjectMetadata } from "./store.ts";

/** The two parts of an upload in one request: what it says of the object, and its bytes. */
export function multipart(type: string, body: Uint8Array): [ObjectMetadata, Uint8Array] {
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary === undefined) throw new Refusal(400, "invalid", "The request has no boundary.");
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const mark = Buffer.from(`--${boundary}`);
  const first = bytes.indexOf(mark), second = bytes.indexOf(mark, first + mark.length);
  const end = bytes.lastIndexOf(`--${boundary}--`);
  if (first < 0 || second < 0 || end <= second) throw new Refusal(400, "invalid", "A part is missing.");
  const part = (from: number, to: number) => bytes.subarray(bytes.indexOf("\r\n\r\n", from) + 4, to - 2);
  return [JSON.parse(part(first, second).toString()), new Uint8Array(part(second, end))];
}
