/**
 * Reads every file of an export in a process of its own, at full speed, and prints the most memory that it ever took:
 * the memory of a test runner is no measure.
 */
import { onepux } from "../../plugins/sources/onepux/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Sha256 } from "../../src/base/hash.ts";
import { isShortfall } from "../../src/model/shortfall.ts";

const signal = new AbortController().signal;
const began = performance.now();
const source = await onepux.open({ path: Deno.args[0] }, {
  world: denoWorld(),
  version: "0.0.0",
  secret: () => Promise.reject(new Error("an export has no secret")),
  privateFolder: () => Promise.reject(new Error("an export needs no folder")),
  warn: (message) => console.error(message),
}, signal);
const opened = performance.now() - began;
const opening = peak();
const hash = new Sha256();
let items = 0;
for (const vault of await source.vaults(signal)) {
  for await (const item of source.items(vault, signal)) {
    if (isShortfall(item)) throw new Error(item.detail);
    items++;
    for (const file of item.files) {
      for await (const bytes of await source.open(item, file, signal)) hash.update(bytes);
    }
  }
}
const seconds = (performance.now() - began - opened) / 1000;
console.log(
  JSON.stringify({ items, size: hash.size, sha256: hash.hex(), opened, seconds, opening, peak: peak() }),
);

/** Bytes, as the kernel counted them at their highest. */
function peak(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]) * 1024;
}
