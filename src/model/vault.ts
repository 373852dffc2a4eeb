/** The 1Password account that a source is signed in to, as far as its door tells. */
export interface Account {
  /** Absent where the door does not tell it: the SDK knows only where and as whom it signed in. */
  id?: string;
  name?: string;
  /** Sign-in address. */
  url?: string;
  /** The e-mail address of the user or service account. */
  signedInAs?: string;
}

/**
 * Whose a vault is: `personal` is one person's own (Private, Personal, Employee), `everyone` the shared one
 * that an account starts with, `created` one that people made, `unknown` what the door does not say.
 */
export type VaultKind = "personal" | "everyone" | "created" | "transfer" | "unknown";

/** A vault, without its items. */
export interface Vault {
  id: string;
  title: string;
  description: string;
  kind: VaultKind;
  /** Active items as the service counts them, where the door tells; compared with what was listed. */
  activeItemCount?: number;
  /** RFC 3339, UTC. */
  createdAt?: string;
  updatedAt?: string;
  /** What the source said, unchanged. */
  raw: unknown;
}
