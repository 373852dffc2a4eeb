import type { AccountDescription, FileDescription, ItemDescription } from "./description.ts";

/** How big an account is to be. */
export interface BigAccountSize {
  /** Items in all, the documents among them; 20,000 when left out. */
  items?: number;
  /** Documents, one file each; 200 when left out. */
  files?: number;
  /** Bytes in each file; 1 MiB when left out. */
  fileSize?: number;
  /** Vaults over which the items are spread; 4 when left out. */
  vaults?: number;
}

/** A dull account of any size, for benchmarks: logins with a note, a tag, a website and a section, and documents. */
export function bigAccount(size: BigAccountSize = {}): AccountDescription {
  const { items = 20_000, files = 200, fileSize = 1024 * 1024, vaults = 4 } = size;
  const share = Math.ceil(items / vaults);
  return {
    name: "Big account",
    vaults: Array.from({ length: vaults }, (_, vault) => ({
      title: `Vault ${vault + 1}`,
      items: Array.from(
        { length: Math.max(0, Math.min(share, items - vault * share)) },
        (_, at) => bigItem(vault * share + at, items, files, fileSize),
      ),
    })),
  };
}

function bigItem(number: number, items: number, files: number, fileSize: number): ItemDescription {
  const name = String(number).padStart(5, "0");
  // Documents are strewn evenly, so that every vault has its part of them.
  if (Math.floor((number + 1) * files / items) > Math.floor(number * files / items)) {
    const document: FileDescription = { name: `file-${name}.bin`, size: fileSize };
    return { title: `Document ${name}`, category: "Document", document };
  }
  return {
    title: `Login ${name}`,
    username: `user-${name}@example.invalid`,
    password: `fake-password-${name}`,
    notes: `Note of login ${name}. `.repeat(4),
    tags: [`team-${number % 20}`],
    urls: [{ url: `https://service-${name}.example.invalid/login` }],
    sections: [{ title: "More", fields: [{ title: "account number", kind: "Text", value: name }] }],
  };
}
