import { AppError } from "../../../src/base/errors.ts";
import { collect, fromUtf8 } from "../../../src/base/bytes.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { EXPORT_AGAIN, sourceError } from "./errors.ts";
import type { Zip } from "./zip.ts";
import { UNREADABLE, unreadableBecause, type ZipEntry } from "./zip_entry.ts";

/** The longest text that the JavaScript engine holds is a little longer; 100,000 items are about half of it. */
export const DATA_LIMIT = 500 * 1024 * 1024;
export const ATTRIBUTES_LIMIT = 1024 * 1024;

/** Lists, objects and values of a text together; 100,000 items have about a tenth. More fills the memory when parsed. */
const MOST_VALUES = 40_000_000;

/**
 * The JSON in the entry `name` of the export.
 *
 * @throws `corrupt` or `unsupported` when it is not there, or there twice, or cannot be read, or is no JSON. The
 * parser's own words are not kept: they quote the text, and the text is full of secrets.
 */
export async function readJson(zip: Zip, name: string, limit: number, signal: AbortSignal): Promise<unknown> {
  const entry = only(zip, name);
  const part = `${quoted(name)} in ${quoted(zip.path)}`;
  if (entry.size > limit) throw sourceError("corrupt", `${part} is larger than ${limit} bytes`);
  let text: string;
  try {
    text = await readText(zip, entry, signal);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "corrupt") throw error;
    throw sourceError("corrupt", `cannot read ${part}: ${error.message}`, {
      hint: EXPORT_AGAIN,
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw sourceError("corrupt", `${part} is not JSON`, { hint: EXPORT_AGAIN });
  }
}

/** The one entry of that name. */
function only(zip: Zip, name: string): ZipEntry {
  const [entry, ...others] = zip.named(name);
  const path = quoted(zip.path);
  if (!entry) {
    const folder = zip.entries.some((one) => one.name.endsWith(`/${name}`));
    throw sourceError("corrupt", `${path} is not a 1PUX export: it holds no ${quoted(name)}`, {
      hint: folder
        ? "it was packed again inside a folder: use the file as the 1Password app wrote it"
        : EXPORT_AGAIN,
    });
  }
  if (others.length > 0) {
    throw sourceError("corrupt", `${path} holds ${quoted(name)} more than once`, { hint: EXPORT_AGAIN });
  }
  const reason = unreadableBecause(entry);
  if (reason === "encrypted" || reason === "packed") {
    throw sourceError("unsupported", `${quoted(name)} in ${path} ${UNREADABLE[reason]}`, {
      hint: "use the file as the 1Password app wrote it: it is not encrypted, and packed in the ordinary way",
    });
  }
  return entry;
}

async function readText(zip: Zip, entry: ZipEntry, signal: AbortSignal): Promise<string> {
  const bytes = await collect(await zip.read(entry, signal), entry.size, "it");
  if (countValues(bytes) > MOST_VALUES) throw sourceError("corrupt", "it holds more than any account does");
  return fromUtf8(bytes, "it");
}

const [COMMA, LIST, OBJECT] = [0x2c, 0x5b, 0x7b];

/** How many values may begin here; commas and brackets in texts count too, which does no harm. */
function countValues(bytes: Uint8Array): number {
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === COMMA || byte === LIST || byte === OBJECT) values++;
  }
  return values;
}
