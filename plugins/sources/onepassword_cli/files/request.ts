import type { Item, ItemFile } from "../../../../src/model/item.ts";
import { opFailure } from "../op/errors.ts";

/** What to ask `op` for, to get a body. */
export interface Request {
  /** For a body on standard output. */
  args: string[];
  /** For a body in a file; without "no new line", in case that takes a line feed away which is the file's own. */
  toFile: string[];
  /** Bytes, as the item says. */
  size: number;
}

/** The request for a file. Only ids go into it: names may hold anything. */
export function requestFor({ id, vaultId }: Item, file: ItemFile): Request {
  for (const part of [id, vaultId, file.id]) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(part)) {
      throw opFailure("unknown", "its id is none that op could be asked for");
    }
  }
  if (file.role === "document") {
    const args = ["document", "get", id, "--vault", vaultId, "--include-archive"];
    return { args, toFile: args, size: file.size };
  }
  const reference = `op://${vaultId}/${id}/${file.id}`;
  return { args: ["read", "--no-newline", reference], toFile: ["read", reference], size: file.size };
}
