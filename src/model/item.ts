/**
 * One item of a vault in the words of vaultferry, whatever door it came through.
 * The archive stores this shape as JSON (FORMAT.md): renaming a property here is a new archive format.
 */
export interface Item {
  id: string;
  vaultId: string;
  title: string;
  /** The door's own word (`Login`, `SshKey`, …); unknown ones are kept as they are. */
  category: string;
  state: "active" | "archived";
  /** `overview`: the door lists the item but does not give its fields; a limit says so too. */
  contents: "full" | "overview";
  favourite?: boolean;
  tags: string[];
  urls: ItemUrl[];
  notes: string;
  sections: ItemSection[];
  fields: ItemField[];
  files: ItemFile[];
  /** Older passwords, where the door gives them. */
  passwordHistory?: { value: string; time: string }[];
  version?: number;
  /** RFC 3339, UTC. */
  createdAt?: string;
  updatedAt?: string;
  /** What the source said, unchanged. */
  raw: unknown;
}

export interface ItemUrl {
  url: string;
  label?: string;
  primary?: boolean;
  /** The door's own word for where 1Password fills it in. */
  autofill?: string;
}

export interface ItemSection {
  id: string;
  title: string;
}

export interface ItemField {
  id: string;
  title: string;
  /** The door's own word (`Concealed`, `Totp`, …). */
  kind: string;
  value: string;
  sectionId?: string;
  /** Parts that a single value cannot carry: an address, a key's public half. */
  details?: unknown;
}

/** A file that belongs to an item; its body is fetched through the source. */
export interface ItemFile {
  id: string;
  name: string;
  /** Bytes, as the source declares them. */
  size: number;
  role: "attachment" | "document";
  sectionId?: string;
  fieldId?: string;
}
