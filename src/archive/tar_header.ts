/** Headers of a tar (POSIX ustar, pax where a number does not fit), for regular files only. */

/** Everything in a tar comes in blocks of so many bytes. */
export const BLOCK = 512;

/** The largest size that a header can hold by itself: eleven octal digits. */
const LARGEST = 0o77777777777;

/** Longest name, and longest folder in front of it. */
const NAME = 100;
const PREFIX = 155;

/** What stands before the body of a file of `size` bytes, readable by its owner alone. */
export function tarHeader(path: string, size: number, time: Date): Uint8Array<ArrayBuffer> {
  if (size <= LARGEST) return block(path, size, time, "0");
  const record = paxRecord("size", String(size));
  const header = new Uint8Array(3 * BLOCK);
  header.set(block("PaxHeader", record.length, time, "x"));
  header.set(record, BLOCK);
  header.set(block(path, 0, time, "0"), 2 * BLOCK);
  return header;
}

/** Bytes of zeros behind a body of `size` bytes. */
export function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

function block(path: string, size: number, time: Date, type: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BLOCK);
  const { prefix, name } = split(path);
  const put = (at: number, text: string) => void encoder.encodeInto(text, bytes.subarray(at));
  const octal = (at: number, digits: number, value: number) =>
    put(at, value.toString(8).padStart(digits, "0"));
  put(0, name);
  octal(100, 7, 0o600);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size);
  octal(136, 11, Math.floor(time.getTime() / 1000));
  put(148, "        "); // the sum counts its own place as blanks
  put(156, type);
  put(257, "ustar\0" + "00");
  put(345, prefix);
  octal(148, 6, bytes.reduce((sum, byte) => sum + byte, 0));
  bytes[154] = 0;
  return bytes;
}

const encoder = new TextEncoder();

/** A path too long for one place goes into two, cut at a slash. */
function split(path: string): { prefix: string; name: string } {
  if (path.length <= NAME) return { prefix: "", name: path };
  const at = path.indexOf("/", path.length - NAME - 1);
  if (at < 0 || at > PREFIX) throw new RangeError("the path is too long for a tar");
  return { prefix: path.slice(0, at), name: path.slice(at + 1) };
}

/** `LENGTH KEY=VALUE` and a line feed, where the length counts itself. */
function paxRecord(key: string, value: string): Uint8Array<ArrayBuffer> {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return encoder.encode(`${length}${rest}`);
}
