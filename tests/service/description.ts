import type { Category } from "./wire/categories.ts";

/**
 * A whole 1Password account in plain words. The service turns it into the encrypted wire format; ids and keys follow.
 *
 * The same description always gives the same ids. They derive from `seed`, the titles and, where titles repeat, from the
 * order in which they appear.
 */
export interface AccountDescription {
  name: string;
  /** Root of every derived id; `name` when left out. */
  seed?: string;
  vaults: readonly VaultDescription[];
}

/**
 * Kinds of vaults as people know them, with the SDK's `vaultType` in brackets: a person's own (personal), the one
 * everybody shares (everyone), an ordinary one (userCreated), one for moving items between accounts (transfer), and a kind
 * the SDK does not know (unsupported).
 */
export type VaultKind = "personal" | "everyone" | "shared" | "transfer" | "unknown";

/** One vault. */
export interface VaultDescription {
  title: string;
  description?: string;
  /** "shared" when left out. */
  kind?: VaultKind;
  items?: readonly ItemDescription[];
  id?: string;
  createdAt?: string;
  updatedAt?: string;
}

/** Active, or in the archive: listed on demand, but never readable through the SDK. */
export type ItemState = "active" | "archived";

/** One item. What is left out is absent on the wire too, unless said otherwise. */
export interface ItemDescription {
  title: string;
  /** "Login" when left out. */
  category?: Category;
  /** "active" when left out. */
  state?: ItemState;
  tags?: readonly string[];
  urls?: readonly UrlDescription[];
  notes?: string;
  /** The login form's user name; Login only. */
  username?: string;
  /** The login form's password, or the one value of a Password item; these two categories only. */
  password?: string;
  /** Fields outside any section. The core shows them in a section whose id and title are "". */
  fields?: readonly FieldDescription[];
  sections?: readonly SectionDescription[];
  /** Attachments. */
  files?: readonly FileDescription[];
  /** The file that a Document item is; Document only. */
  document?: FileDescription;
  /** Earlier passwords; no door of the SDK shows them. */
  passwordHistory?: readonly { value: string; time: string }[];
  /** No door of the SDK shows it. */
  favourite?: boolean;
  id?: string;
  /** 1 when left out. */
  version?: number;
  /** RFC 3339 with whole seconds, as the service gives them. */
  createdAt?: string;
  updatedAt?: string;
}

/** A website of an item. */
export interface UrlDescription {
  url: string;
  label?: string;
  /** "anywhere" when left out: AnywhereOnWebsite, ExactDomain and Never in the SDK's words. */
  autofill?: "anywhere" | "exact-domain" | "never";
}

/** A titled group of fields. */
export interface SectionDescription {
  title: string;
  fields?: readonly FieldDescription[];
  id?: string;
}

/** Field kinds, by the SDK's names, whose value is an ordinary string. */
export type TextKind =
  | "Text"
  | "Concealed"
  | "CreditCardType"
  | "CreditCardNumber"
  | "Phone"
  | "Url"
  | "Totp"
  | "Email"
  | "Menu"
  | "SshKey";

/** The parts of an Address field. */
export interface AddressDescription {
  street?: string;
  city?: string;
  state?: string;
  zip?: string;
  /** Two letters, lower case, as 1Password stores them. */
  country?: string;
}

/** One field; `kind` is the SDK's `fieldType` except where noted. */
export type FieldDescription =
  & { title: string; id?: string }
  & (
    | { kind: TextKind; value: string }
    /** `YYYY-MM-DD`, or "" for an empty one. */
    | { kind: "Date"; value: string }
    /** `MM/YYYY`, or "" for an empty one. */
    | { kind: "MonthYear"; value: string }
    | { kind: "Address"; value: AddressDescription }
    /** Points at the first item of this title in the same vault, which must exist … */
    | { kind: "Reference"; to: string }
    /** … or at an id, which need not. */
    | { kind: "Reference"; value: string }
    /** 1Password's own apps store it as a kind of its own; the core reads it as Text. */
    | { kind: "Gender"; value: string }
    /** A kind the core does not know ("hologram" unless named): it gives the field without value and section. */
    | { kind: "Unsupported"; value: string; wireKind?: string }
  );

/** Either what is in a file, or how much generated content it has (see `generatedContent`). */
export type FileDescription =
  & {
    name: string;
    /** Title of the item's section in which it lies; left out: the section "add more", as in 1Password's apps. */
    section?: string;
    /** The size that the item states, in bytes, when it should be a lie. The core does not notice; a backup must. */
    declaredSize?: number;
  }
  & ({ content: string | Uint8Array } | { size: number; seed?: string });
