import { sha256Hex } from "../base/hash.ts";
import { isReserved } from "../base/safe_names.ts";

/**
 * An id as it may stand in a path: unchanged when it is 1 to 64 ASCII letters and digits and no device name of
 * Windows, else its SHA-256. No title, file name or other text of a person ever becomes part of a path.
 */
export function safeId(id: string): string {
  return /^[A-Za-z0-9]{1,64}$/.test(id) && !isReserved(id) ? id : sha256Hex(id);
}
