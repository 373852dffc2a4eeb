import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { Buffer } from "node:buffer";
import { asObject, asString, type JsonObject } from "../wire/json.ts";

/** A field of a section as `op` prints it; undefined for one that it does not print among the fields. */
export function fieldJson(field: JsonObject, section: JsonObject, path: string): JsonObject | undefined {
  const id = asString(field.n);
  const kind = asString(field.k);
  if (kind === "file") return undefined;
  const type = typeOf(kind, id);
  const value = valueOf(kind, field.v);
  return {
    id,
    ...sectionOf(section),
    type,
    label: asString(field.t),
    ...(value === undefined || value === "" ? {} : { value }),
    ...(type === "OTP" ? { totp: "123456" } : {}),
    reference: `${path}/${asString(section.title) || asString(section.name)}/${asString(field.t)}`,
  };
}

/** The section that a field or file lies in; one without a name is none. */
export function sectionOf(section: JsonObject): { section?: JsonObject } {
  const id = asString(section.name);
  const label = asString(section.title);
  return id === "" ? {} : { section: { id, ...(label === "" ? {} : { label }) } };
}

/** The fields that `op` makes of a private key beside it. */
export function keyParts(pem: string, path: string): JsonObject[] {
  const jwk = createPublicKey(createPrivateKey(pem)).export({ format: "jwk" });
  const name = Buffer.from("ssh-ed25519");
  const blob = Buffer.concat([sized(name), sized(Buffer.from(String(jwk.x), "base64url"))]);
  const part = (id: string, label: string, value: string) => ({
    id,
    type: "STRING",
    label,
    value,
    reference: `${path}/${label}`,
  });
  const fingerprint = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return [
    part("public_key", "public key", `ssh-ed25519 ${blob.toString("base64")}`),
    part("fingerprint", "fingerprint", `SHA256:${fingerprint}`),
    part("key_type", "key type", "ed25519"),
  ];
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const TYPES: Record<string, string> = {
  string: "STRING",
  concealed: "CONCEALED",
  cctype: "CREDIT_CARD_TYPE",
  phone: "PHONE",
  URL: "URL",
  email: "EMAIL",
  menu: "MENU",
  sshKey: "SSHKEY",
  date: "DATE",
  monthYear: "MONTH_YEAR",
  address: "ADDRESS",
  reference: "REFERENCE",
  gender: "GENDER",
};

function typeOf(kind: string, id: string): string {
  if (kind === "concealed" && id.startsWith("TOTP_")) return "OTP";
  if (kind === "string" && id.startsWith("ccnum")) return "CREDIT_CARD_NUMBER";
  return TYPES[kind] ?? "UNKNOWN";
}

function valueOf(kind: string, value: unknown): string | undefined {
  if (value === undefined || value === null || !(kind in TYPES)) return undefined;
  return kind === "address" ? addressLine(asObject(value as JsonObject) ?? {}) : String(value);
}

const COUNTRIES: Record<string, string> = { us: "United States" };

/** The parts of an address in one line, the country by its name. */
function addressLine({ street, city, state, zip, country }: JsonObject): string {
  const name = COUNTRIES[asString(country)] ?? asString(country).toUpperCase();
  return [street, city, [state, zip].map(asString).filter(Boolean).join(" "), name].map((part) =>
    asString(part)
  )
    .filter(Boolean).join(", ");
}
