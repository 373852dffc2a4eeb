/**
 * The account that every door is tried with, in words of no door: each harness renders it as what its door reads
 * (the local 1Password service, a 1PUX file, …), and the cases compare what came back with it.
 */
import { sha256Hex } from "../../base/hash.ts";
import type { VaultKind } from "../../model/vault.ts";

export interface SeededAccount {
  name: string;
  vaults: readonly SeededVault[];
}

export interface SeededVault {
  /** 26 letters and digits, as 1Password's ids are; the harness must keep it. */
  id: string;
  title: string;
  description: string;
  kind: VaultKind;
  items: readonly SeededItem[];
}

export interface SeededItem {
  /** Kept too. */
  id: string;
  title: string;
  /** The SDK's word; {@linkcode UNKNOWN_CATEGORY} is one that no program of today knows. */
  category: string;
  state: "active" | "archived";
  tags: readonly string[];
  /** The first one is the primary one. */
  urls: readonly { url: string; label: string }[];
  notes: string;
  /** In no section; a user name and a password, of logins and passwords only. */
  fields: readonly SeededField[];
  sections: readonly SeededSection[];
  /** Names are unique within an item; ids are the door's. */
  files: readonly SeededFile[];
  favourite: boolean;
  passwordHistory: readonly { value: string; time: string }[];
  /** RFC 3339, whole seconds. */
  createdAt: string;
  updatedAt: string;
  /** A property that no program of today knows, to be put into what the door says of the item. */
  extra?: string;
}

export interface SeededSection {
  id: string;
  title: string;
  fields: readonly SeededField[];
}

export interface SeededField {
  id: string;
  title: string;
  /** The SDK's word; {@linkcode UNKNOWN_KIND} is one that no program of today knows. */
  kind: string;
  value: string;
  /** The parts of an address; its value is the one line that the SDK makes of them. */
  parts?: Record<"street" | "city" | "state" | "zip" | "country", string>;
}

export interface SeededFile {
  name: string;
  role: "attachment" | "document";
  /** Title of the section in which an attachment lies. */
  section?: string;
  size: number;
}

export const UNKNOWN_CATEGORY = "Hovercraft";
export const UNKNOWN_KIND = "hologram";

/** Every category that 1Password's SDK has a word for. */
export const CATEGORIES = [
  "Login",
  "CreditCard",
  "SecureNote",
  "Identity",
  "Password",
  "Document",
  "SoftwareLicense",
  "BankAccount",
  "Database",
  "DriverLicense",
  "OutdoorLicense",
  "Membership",
  "Passport",
  "Rewards",
  "SocialSecurityNumber",
  "Router",
  "Server",
  "Email",
  "ApiCredentials",
  "MedicalRecord",
  "SshKey",
  "CryptoWallet",
  "Person",
] as const;

/** The bytes of a file: no compression shortens them, and two files of one size differ. */
export function seededBody({ name, size }: Pick<SeededFile, "name" | "size">): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let x = parseInt(sha256Hex(name).slice(0, 8), 16) | 1;
  for (let at = 0; at < words.length; at++) {
    x ^= x << 13, x ^= x >>> 17, x ^= x << 5;
    words[at] = x;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** An id that 1Password could have given: base 32, and readable. */
export function seededId(word: string): string {
  return word.padEnd(26, "a");
}

/** An item with nothing but a title; `changes` say what else it has. */
export function seededItem(word: string, changes: Partial<SeededItem> = {}): SeededItem {
  return {
    id: seededId(word),
    title: `the ${word} sample`,
    category: "SecureNote",
    state: "active",
    tags: [],
    urls: [],
    notes: "",
    fields: [],
    sections: [],
    files: [],
    favourite: false,
    passwordHistory: [],
    createdAt: "2021-02-03T04:05:06Z",
    updatedAt: "2022-03-04T05:06:07Z",
    ...changes,
  };
}

/** The two fields of a login. */
export function seededLogin(username: string, password: string): SeededField[] {
  return [
    { id: "username", title: "username", kind: "Text", value: username },
    { id: "password", title: "password", kind: "Concealed", value: password },
  ];
}

/** The file of the item where faults strike. */
export const targetFile: SeededFile = { name: "the attached sample.bin", role: "attachment", size: 3000 };

/** Two vaults with little in them, for cases in which something goes wrong. */
export const smallAccount: SeededAccount = {
  name: "Small",
  vaults: [
    {
      id: seededId("first"),
      title: "the first vault",
      description: "",
      kind: "created",
      items: [
        seededItem("one", { category: "Login", fields: seededLogin("sample", "made-up-first-password") }),
        seededItem("two", {
          notes: "made-up-second-note",
          files: [targetFile],
        }),
        seededItem("three", {
          category: "Password",
          fields: seededLogin("", "made-up-third-password").slice(1),
        }),
        seededItem("gone", { state: "archived", notes: "made-up-archived-note" }),
      ],
    },
    {
      id: seededId("second"),
      title: "the second vault",
      description: "",
      kind: "created",
      items: [seededItem("four", { notes: "made-up-fourth-note" })],
    },
  ],
};

/** Where faults strike in the small account unless a case says otherwise. */
export const TARGET = { vaultId: seededId("first"), itemId: seededId("two") } as const;

/** Nothing at all. */
export const emptyAccount: SeededAccount = { name: "Empty", vaults: [] };
