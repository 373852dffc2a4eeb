/** Connect's word for each template; what its description does not name is CUSTOM. */
const CATEGORIES: Record<string, string> = {
  "001": "LOGIN",
  "002": "CREDIT_CARD",
  "003": "SECURE_NOTE",
  "004": "IDENTITY",
  "005": "PASSWORD",
  "006": "DOCUMENT",
  "100": "SOFTWARE_LICENSE",
  "101": "BANK_ACCOUNT",
  "102": "DATABASE",
  "103": "DRIVER_LICENSE",
  "104": "OUTDOOR_LICENSE",
  "105": "MEMBERSHIP",
  "106": "PASSPORT",
  "107": "REWARD_PROGRAM",
  "108": "SOCIAL_SECURITY_NUMBER",
  "109": "WIRELESS_ROUTER",
  "110": "SERVER",
  "111": "EMAIL_ACCOUNT",
  "112": "API_CREDENTIAL",
  "113": "MEDICAL_RECORD",
  "114": "SSH_KEY",
};

export function categoryWord(template: string): string {
  return CATEGORIES[template] ?? "CUSTOM";
}

/** Connect's word for each kind of section field; the description has eight, and the rest is text. */
const TYPES: Record<string, string> = {
  concealed: "CONCEALED",
  URL: "URL",
  email: "EMAIL",
  menu: "MENU",
  date: "DATE",
  monthYear: "MONTH_YEAR",
};

export function typeWord(kind: string, id: string): string {
  // 1Password tells these apart by the field's id alone.
  if (kind === "concealed" && id.startsWith("TOTP_")) return "TOTP";
  return TYPES[kind] ?? "STRING";
}

/** Connect's word for each letter that the service has for the type of a vault. */
export const VAULT_TYPES: Record<string, string> = {
  P: "PERSONAL",
  E: "EVERYONE",
  U: "USER_CREATED",
  T: "TRANSFER",
};
