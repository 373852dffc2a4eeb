/** A folder on this machine that a WebDAV server serves. */
import { dirname } from "node:path";
import type { Planted } from "../../../src/destination/conformance.ts";

/** Stores something that is not ours, and looks after it. */
export async function plantFile(folder: string, name: string): Promise<Planted> {
  const path = `${folder}/${name}`;
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, "planted");
  return { intact: () => Deno.readTextFile(path).then((text) => text === "planted", () => false) };
}
