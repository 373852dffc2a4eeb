import type { VaultKind } from "../../../src/model/vault.ts";

/**
 * Connect's words in those of 1Password's SDK, where the meaning is the same, so that an item is the same through
 * both doors. Connect's published description has fewer words than its servers say: those known beyond it are here too.
 */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
  ["LOGIN", "Login"],
  ["PASSWORD", "Password"],
  ["API_CREDENTIAL", "ApiCredentials"],
  ["SERVER", "Server"],
  ["DATABASE", "Database"],
  ["CREDIT_CARD", "CreditCard"],
  ["MEMBERSHIP", "Membership"],
  ["PASSPORT", "Passport"],
  ["SOFTWARE_LICENSE", "SoftwareLicense"],
  ["OUTDOOR_LICENSE", "OutdoorLicense"],
  ["SECURE_NOTE", "SecureNote"],
  ["WIRELESS_ROUTER", "Router"],
  ["BANK_ACCOUNT", "BankAccount"],
  ["DRIVER_LICENSE", "DriverLicense"],
  ["IDENTITY", "Identity"],
  ["REWARD_PROGRAM", "Rewards"],
  ["DOCUMENT", "Document"],
  ["EMAIL_ACCOUNT", "Email"],
  ["SOCIAL_SECURITY_NUMBER", "SocialSecurityNumber"],
  ["MEDICAL_RECORD", "MedicalRecord"],
  ["SSH_KEY", "SshKey"],
  // Not in the description:
  ["CRYPTO_WALLET", "CryptoWallet"],
  ["PERSON", "Person"],
]);

/** What Connect says of every category that it does not name. */
export const UNNAMED_CATEGORY = "CUSTOM";

/** The SDK's name of a category; unknown ones are kept as they are. */
export function categoryOf(word: string): string {
  return CATEGORIES.get(word) ?? word;
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["STRING", "Text"],
  ["EMAIL", "Email"],
  ["CONCEALED", "Concealed"],
  ["URL", "Url"],
  ["TOTP", "Totp"],
  ["DATE", "Date"],
  ["MONTH_YEAR", "MonthYear"],
  ["MENU", "Menu"],
  // Not in the description; servers say OTP where it has TOTP.
  ["OTP", "Totp"],
  ["PHONE", "Phone"],
  ["ADDRESS", "Address"],
  ["CREDIT_CARD_NUMBER", "CreditCardNumber"],
  ["CREDIT_CARD_TYPE", "CreditCardType"],
  ["GENDER", "Gender"],
  ["REFERENCE", "Reference"],
  ["SSHKEY", "SshKey"],
  ["SSH_KEY", "SshKey"],
  ["FILE", "File"],
]);

const NAMED: ReadonlySet<string> = new Set(KINDS.values());

/** Whether this is the SDK's name of a kind, rather than a word of Connect's that is unknown here. */
export function isNamedKind(kind: string): boolean {
  return NAMED.has(kind);
}

/** The SDK's name of a field's kind; unknown ones are kept as they are. */
export function kindOf(word: string): string {
  return KINDS.get(word) ?? word;
}

/** A value as the SDK writes it: Connect has dates as seconds since 1970, and months as YYYYMM. */
export function valueOf(kind: string, value: string): string {
  if (kind === "Date" && /^-?\d{1,12}$/.test(value)) {
    const date = new Date(Number(value) * 1000);
    const year = date.getUTCFullYear();
    return year >= 0 && year <= 9999 ? date.toISOString().slice(0, 10) : value;
  }
  if (kind === "MonthYear") return value.replace(/^(\d{4})\/?(0[1-9]|1[0-2])$/, "$2/$1");
  return value;
}

const VAULT_KINDS: ReadonlyMap<string, VaultKind> = new Map([
  ["PERSONAL", "personal"],
  ["EVERYONE", "everyone"],
  ["USER_CREATED", "created"],
  ["TRANSFER", "transfer"],
]);

export function vaultKindOf(word: string): VaultKind {
  return VAULT_KINDS.get(word) ?? "unknown";
}
