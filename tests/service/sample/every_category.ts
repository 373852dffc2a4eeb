import { Buffer } from "node:buffer";
import type { FieldDescription, ItemDescription, VaultDescription } from "../description.ts";

/** One item of each category, filled as 1Password's own templates are, and one that holds every kind of field. */
export const everyCategory: VaultDescription = {
  title: "Every category",
  description: "One of each",
  items: [
    {
      title: "A login",
      username: "sample",
      password: "fake-login",
      urls: [{ url: "https://login.example.invalid" }],
    },
    { title: "A secure note", category: "SecureNote", notes: "Nobody must read this sample." },
    { title: "A password", category: "Password", password: "fake-password-item" },
    item("A credit card", "CreditCard", [
      { title: "cardholder name", kind: "Text", value: "Sample Person" },
      { title: "type", kind: "CreditCardType", value: "visa" },
      { title: "number", id: "ccnum", kind: "CreditCardNumber", value: "4111111111111111" },
      { title: "verification number", kind: "Concealed", value: "000" },
      { title: "expiry date", kind: "MonthYear", value: "12/2099" },
    ]),
    item("A crypto wallet", "CryptoWallet", [
      {
        title: "recovery phrase",
        kind: "Concealed",
        value: "fake fake fake fake fake fake fake fake fake fake fake fake",
      },
      { title: "wallet address", kind: "Text", value: "0x0000000000000000000000000000000000000000" },
    ]),
    item("An identity", "Identity", [
      { title: "first name", kind: "Text", value: "Sample" },
      { title: "sex", kind: "Gender", value: "female" },
      { title: "birth date", kind: "Date", value: "1950-01-06" },
      { title: "address", kind: "Address", value: fullAddress() },
      { title: "default phone", kind: "Phone", value: "+1 555 0100" },
    ]),
    item("An API credential", "ApiCredentials", [
      { title: "username", kind: "Text", value: "robot" },
      { title: "credential", kind: "Concealed", value: "fake-api-credential" },
      { title: "type", kind: "Menu", value: "bearer" },
      { title: "expires", kind: "Date", value: "2099-12-31" },
    ]),
    item("A bank account", "BankAccount", [
      { title: "bank name", kind: "Text", value: "First Bank of Nowhere" },
      { title: "type", kind: "Menu", value: "savings" },
      { title: "IBAN", kind: "Text", value: "XX00 0000 0000 0000" },
      { title: "PIN", kind: "Concealed", value: "0000" },
    ]),
    item("A database", "Database", [
      { title: "type", kind: "Menu", value: "postgresql" },
      { title: "server", kind: "Text", value: "db.example.invalid" },
      { title: "password", kind: "Concealed", value: "fake-database-password" },
    ]),
    item("A driver licence", "DriverLicense", [{ title: "number", kind: "Text", value: "D-000" }]),
    item("An email account", "Email", [
      { title: "username", kind: "Text", value: "sample" },
      { title: "password", kind: "Concealed", value: "fake-email-password" },
    ]),
    item("A medical record", "MedicalRecord", [{ title: "date", kind: "Date", value: "2020-02-29" }]),
    item("A membership", "Membership", [{ title: "member ID", kind: "Text", value: "M-000" }]),
    item("An outdoor licence", "OutdoorLicense", [{ title: "expires", kind: "Date", value: "2099-01-01" }]),
    item("A passport", "Passport", [{ title: "number", kind: "Text", value: "P-000" }]),
    item("A rewards programme", "Rewards", [{ title: "member since", kind: "MonthYear", value: "01/2001" }]),
    item("A router", "Router", [{
      title: "wireless password",
      kind: "Concealed",
      value: "fake-wifi-password",
    }]),
    item("A server", "Server", [
      { title: "URL", kind: "Url", value: "ssh://server.example.invalid" },
      { title: "password", kind: "Concealed", value: "fake-server-password" },
    ]),
    item("A social security number", "SocialSecurityNumber", [{
      title: "number",
      kind: "Concealed",
      value: "000-00-0000",
    }]),
    item("A software licence", "SoftwareLicense", [{
      title: "licence key",
      kind: "Text",
      value: "FAKE-FAKE-FAKE",
    }]),
    item("A person", "Person", [{ title: "name", kind: "Text", value: "Sample Person" }]),
    item("An SSH key", "SshKey", [{ title: "private key", kind: "SshKey", value: fakeSshKey("sample") }]),
    {
      title: "A document",
      category: "Document",
      document: { name: "document.txt", content: "A whole document.\n" },
    },
    {
      title: "A category from the future",
      category: "Unsupported",
      notes: "The SDK cannot name this template.",
    },
    {
      title: "Every kind of field",
      sections: [{ title: "All of them", fields: everyKind() }, { title: "An empty section" }, {
        title: "Empty values",
        fields: [
          { title: "empty text", kind: "Text", value: "" },
          { title: "empty date", kind: "Date", value: "" },
          { title: "empty month", kind: "MonthYear", value: "" },
          { title: "empty address", kind: "Address", value: {} },
        ],
      }],
    },
  ],
};

/** One field of each kind, and one that the SDK cannot read. */
function everyKind(): FieldDescription[] {
  return [
    { title: "text", kind: "Text", value: "two\nlines" },
    { title: "concealed", kind: "Concealed", value: "fake-concealed" },
    { title: "card type", kind: "CreditCardType", value: "mc" },
    { title: "card number", kind: "CreditCardNumber", value: "5555555555554444" },
    { title: "phone", kind: "Phone", value: "+44 20 7946 0000" },
    { title: "url", kind: "Url", value: "https://example.invalid/?q=1&r=ü" },
    { title: "one-time password", kind: "Totp", value: "otpauth://totp/x?secret=AAAAAAAAAAAAAAAA" },
    { title: "email", kind: "Email", value: "sample@example.invalid" },
    { title: "reference", kind: "Reference", to: "A login" },
    { title: "ssh key", kind: "SshKey", value: fakeSshKey("field"), id: "ssh" },
    { title: "menu", kind: "Menu", value: "choice" },
    { title: "month and year", kind: "MonthYear", value: "02/2030" },
    { title: "address", kind: "Address", value: fullAddress() },
    { title: "date", kind: "Date", value: "2024-02-29" },
    { title: "gender", kind: "Gender", value: "male" },
    { title: "hologram", kind: "Unsupported", value: "the SDK never shows this" },
  ];
}

function item(
  title: string,
  category: ItemDescription["category"] & string,
  fields: FieldDescription[],
): ItemDescription {
  return { title, category, fields };
}

function fullAddress() {
  return { street: "1 Sample Street", city: "Nowhere", state: "ZZ", zip: "00000", country: "us" };
}

/**
 * An Ed25519 private key in PKCS #8 made of this word, so that no key file lies in the repository to alarm scanners. The
 * core derives the public key from it.
 */
function fakeSshKey(word: string): string {
  const prefix = [
    0x30,
    0x2e,
    0x02,
    0x01,
    0x00,
    0x30,
    0x05,
    0x06,
    0x03,
    0x2b,
    0x65,
    0x70,
    0x04,
    0x22,
    0x04,
    0x20,
  ];
  const der = Buffer.concat([Buffer.from(prefix), Buffer.from(`fake ${word} `.repeat(32)).subarray(0, 32)]);
  const label = "PRIVATE KEY";
  return `-----BEGIN ${label}-----\n${der.toString("base64")}\n-----END ${label}-----\n`;
}
