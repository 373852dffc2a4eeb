/** Headers of a tar (POSIX ustar, pax where a number does not fit), for regular files only. */

/** Everything in a tar comes in blocks of so many bytes. */
export const BLOCK = 512;

/** The largest size that a header can hold by itself: eleven octal digits. */
const LARGEST = 0o77777777777;

/** Longest name, and longest folder in front of it. */
const NAME = 100;
const PREFIX = 155;

/** What stands before the body of a file of `size` bytes, readable by its owner alone. */
export function tarHeader(path: string, size: number, time: Date): Uint8Array {
  if (size <= LARGEST) return block(path, size, time, "0");
  const record = paxRecord("size", String(size));
  const header = new Uint8Array(3 * BLOCK);
  header.set(block("PaxHeader", record.length, time, "x"));
  put(header, BLOCK, record);
  header.set(block(path, 0, time, "0"), 2 * BLOCK);
  return header;
}

/** Bytes of zeros behind a body of `size` bytes. */
export function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

function block(path: string, size: number, time: Date, type: string): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const { prefix, name } = split(path);
  put(bytes, 0, name);
  octal(bytes, 100, 7, 0o600);
  octal(bytes, 108, 7, 0);
  octal(bytes, 116, 7, 0);
  octal(bytes, 124, 11, size);
  octal(bytes, 136, 11, Math.floor(time.getTime() / 1000));
  put(bytes, 148, " ".repeat(8)); // the sum counts its own place as blanks
  put(bytes, 156, type);
  put(bytes, 257, "ustar\0" + "00");
  put(bytes, 345, prefix);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += bytes[at]!;
  octal(bytes, 148, 6, sum);
  bytes[154] = 0;
  return bytes;
}

/** Paths of this format are ASCII (layout.ts). */
function put(bytes: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}

function octal(bytes: Uint8Array, at: number, digits: number, value: number): void {
  for (let index = at + digits - 1; index >= at; index--) {
    bytes[index] = 0x30 + value % 8;
    value = Math.floor(value / 8);
  }
}

/** A path too long for one place goes into two, cut at a slash. */
function split(path: string): { prefix: string; name: string } {
  if (path.length <= NAME) return { prefix: "", name: path };
  const at = path.lastIndexOf("/", PREFIX);
  if (at < 0 || path.length - at - 1 > NAME) throw new RangeError("the path is too long for a tar");
  return { prefix: path.slice(0, at), name: path.slice(at + 1) };
}

/** `LENGTH KEY=VALUE` and a line feed, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}
