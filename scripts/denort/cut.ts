/**
 * Gets the unmodified base runtime back out of a program that `deno compile` has made: the runtime with a payload
 * put behind it (Linux, macOS on Intel), into a section (Windows) or into a segment (macOS on ARM).
 */

/** The ELF ends where its section header table ends; the payload follows. */
export function cutElf(program: Uint8Array): Uint8Array {
  const view = viewOf(program);
  const table = Number(view.getBigUint64(0x28, true));
  return program.subarray(0, table + view.getUint16(0x3a, true) * view.getUint16(0x3c, true));
}

/** The payload is the last section, `.pedata`. */
export function cutPe(program: Uint8Array): Uint8Array {
  const bytes = program.slice();
  const view = viewOf(bytes);
  const pe = view.getUint32(0x3c, true);
  const sections = view.getUint16(pe + 6, true);
  const optional = pe + 24;
  const last = optional + view.getUint16(pe + 20, true) + 40 * (sections - 1);
  const name = textAt(bytes, last, 8);
  if (name !== ".pedata") throw new Error(`unexpected last section ${JSON.stringify(name)}`);
  const address = view.getUint32(last + 12, true);
  const offset = view.getUint32(last + 20, true);
  view.setUint16(pe + 6, sections - 1, true);
  bytes.fill(0, last, last + 40);
  view.setUint32(optional + 56, address, true); // size of the image
  view.setBigUint64(optional + 112 + 16, 0n, true); // where the resources are
  return bytes.subarray(0, offset);
}

/** On Intel the payload follows a mark, and `__LINKEDIT` with its table of strings was made to end with the file. */
export function cutMachoX64(program: Uint8Array): Uint8Array {
  const end = lastIndexOf(program, [...new TextEncoder().encode("<~sui-data~>"), 0xef, 0xbe, 0xad, 0xde]);
  if (end < 0) throw new Error("the program has no payload");
  const bytes = program.slice(0, end);
  const view = viewOf(bytes);
  for (const { command, at } of loadCommands(bytes)) {
    if (command === SEGMENT && textAt(bytes, at + 8, 16) === "__LINKEDIT") {
      const size = BigInt(end) - view.getBigUint64(at + 40, true);
      view.setBigUint64(at + 32, size, true);
      view.setBigUint64(at + 48, size, true);
    } else if (command === SYMTAB) {
      view.setUint32(at + 20, end - view.getUint32(at + 16, true), true);
    }
  }
  return bytes;
}

/** On ARM the payload is the segment `__SUI` before `__LINKEDIT`, and all that points behind it was moved. */
export function cutMachoArm64(program: Uint8Array): Uint8Array {
  const commands = loadCommands(program);
  const before = viewOf(program);
  const sui = commands.find(({ command, at }) =>
    command === SEGMENT && textAt(program, at + 8, 16) === "__SUI"
  );
  if (!sui) throw new Error("the program has no payload");
  const from = Number(before.getBigUint64(sui.at + 40, true));
  const size = Number(before.getBigUint64(sui.at + 48, true));
  const bytes = new Uint8Array(program.length - size);
  bytes.set(program.subarray(0, from));
  bytes.set(program.subarray(from + size), from);
  const view = viewOf(bytes);
  for (const { command, at } of commands) {
    const back = (field: number) => {
      const offset = view.getUint32(at + field, true);
      if (offset >= from + size) view.setUint32(at + field, offset - size, true);
    };
    if (command === SEGMENT && textAt(bytes, at + 8, 16) === "__LINKEDIT") {
      view.setBigUint64(at + 24, before.getBigUint64(sui.at + 24, true), true);
      view.setBigUint64(at + 40, BigInt(from), true);
    }
    for (const field of OFFSETS.get(command) ?? []) back(field);
  }
  // The load commands close ranks.
  const end = 32 + view.getUint32(20, true);
  bytes.copyWithin(sui.at, sui.at + sui.size, end);
  bytes.fill(0, end - sui.size, end);
  view.setUint32(16, view.getUint32(16, true) - 1, true);
  view.setUint32(20, view.getUint32(20, true) - sui.size, true);
  return bytes;
}

const SEGMENT = 0x19;
const SYMTAB = 0x2;

/** Where each load command keeps offsets into `__LINKEDIT`. */
const OFFSETS = new Map<number, number[]>([
  [SYMTAB, [8, 16]],
  [0xb, [32, 40, 48, 56, 64, 72]], // DYSYMTAB
  [0x1d, [8]], // CODE_SIGNATURE
  [0x26, [8]], // FUNCTION_STARTS
  [0x29, [8]], // DATA_IN_CODE
  [0x80000033, [8]], // DYLD_EXPORTS_TRIE
  [0x80000034, [8]], // DYLD_CHAINED_FIXUPS
  [0x22, [8, 16, 24, 32, 40]], // DYLD_INFO
  [0x80000022, [8, 16, 24, 32, 40]], // DYLD_INFO_ONLY
]);

function loadCommands(bytes: Uint8Array): { command: number; size: number; at: number }[] {
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== 0xfeedfacf) throw new Error("not a Mach-O file of 64 bits");
  const commands = [];
  let at = 32;
  for (let left = view.getUint32(16, true); left > 0; left--) {
    const size = view.getUint32(at + 4, true);
    commands.push({ command: view.getUint32(at, true), size, at });
    at += size;
  }
  return commands;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text that ends with a zero byte or with its field. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  return new TextDecoder("latin1").decode(bytes.subarray(at, at + length)).replace(/\0.*$/s, "");
}

function lastIndexOf(bytes: Uint8Array, pattern: number[]): number {
  const [first, ...rest] = pattern;
  let at = bytes.lastIndexOf(first!);
  while (at >= 0 && !rest.every((byte, index) => bytes[at + 1 + index] === byte)) {
    at = at === 0 ? -1 : bytes.lastIndexOf(first!, at - 1);
  }
  return at;
}
