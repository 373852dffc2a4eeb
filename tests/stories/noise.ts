import { randomBytes } from "node:crypto";
import { type MemoryAccount, memoryItem } from "./memory_source.ts";

/** An account whose one file holds `size` bytes that no compression makes smaller. */
export function noisyAccount(size: number): MemoryAccount {
  return {
    vaults: [{ id: "v1", items: [memoryItem("v1", "a", [{ id: "f1", size }])] }],
    open: () => noise(size),
  };
}

function noise(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const bytes = new Uint8Array(randomBytes(Math.min(left, 65_536)));
      left -= bytes.length;
      controller.enqueue(bytes);
    },
  });
}
