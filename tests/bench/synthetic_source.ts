import { z } from "zod";
import type { Item } from "../../src/model/item.ts";
import type { Source } from "../../src/source/contract.ts";
import type { SourcePlugin } from "../../src/source/plugin.ts";

const config = z.strictObject({ items: z.number(), files: z.number(), fileSize: z.number() });

/** Made-up items and files that come as a stream: what the pipeline does without 1Password's SDK in front of it. */
export const synthetic: SourcePlugin = {
  type: "synthetic",
  summary: "made-up items and files, for measuring",
  config,
  open: (given) => Promise.resolve(source(config.parse(given))),
};

const VAULT = { id: "bench", title: "Bench", description: "", kind: "created", raw: {} } as const;

/** Bytes per piece of a file. */
const PIECE = 64 * 1024;

function source({ items, files, fileSize }: z.infer<typeof config>): Source {
  return {
    name: "synthetic",
    limits: [],
    account: () => Promise.resolve(undefined),
    vaults: () => Promise.resolve([{ ...VAULT, activeItemCount: items }]),
    async *items() {
      for (let at = 0; at < items; at++) {
        yield await Promise.resolve(item(at, at < files ? fileSize : undefined));
      }
    },
    open: (_item, file) => Promise.resolve(noise(file.size)),
    estimate: () => Promise.resolve({ reads: 0 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function item(at: number, fileSize: number | undefined): Item {
  const id = `item${at}`;
  const fields = [
    { id: "username", title: "username", kind: "Text", value: `user${at}@example.com` },
    {
      id: "password",
      title: "password",
      kind: "Concealed",
      value: `fake-${(at * 2654435761 >>> 0).toString(36)}`,
    },
  ];
  const raw = {
    id,
    title: `Login ${at}`,
    category: "Login",
    fields,
    notes: "a note ".repeat(20),
    version: at % 7,
  };
  return {
    id,
    vaultId: VAULT.id,
    title: raw.title,
    category: raw.category,
    state: "active",
    contents: "full",
    tags: ["bench"],
    urls: [{ url: `https://host${at}.example.com/login` }],
    notes: raw.notes,
    sections: [],
    fields,
    files: fileSize === undefined
      ? []
      : [{ id: `file${at}`, name: "blob.bin", size: fileSize, role: "attachment" }],
    updatedAt: "2026-01-02T03:04:05Z",
    raw,
  };
}

/** Bytes that do not compress; the same ones over and over would, so each piece is stirred. */
function noise(size: number): ReadableStream<Uint8Array> {
  const words = crypto.getRandomValues(new Uint32Array(PIECE / 4));
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      for (let at = 0; at < words.length; at++) words[at] = Math.imul(words[at]!, 1664525) + 1013904223;
      const piece = new Uint8Array(words.buffer.slice(0, Math.min(PIECE, left)));
      left -= piece.length;
      controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
}
