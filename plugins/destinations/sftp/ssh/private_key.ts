import { Buffer } from "node:buffer";
import { createPrivateKey, sign } from "node:crypto";
import { AppError } from "../../../../src/base/errors.ts";
import type { Secret } from "../../../../src/base/secret.ts";
import ssh2 from "./library.ts";
// @ts-types="./ssh2.d.ts"
import type { ParsedKey } from "ssh2";

/** The key in a file; throws `misconfigured` where there is none, with a sentence that holds nothing of it. */
export function parsePrivateKey(file: Secret, passphrase: Secret | undefined): ParsedKey {
  const text = file.reveal();
  const encrypted = /ENCRYPTED/.test(text);
  if (encrypted && passphrase === undefined) throw noPassphrase();
  let parsed: ReturnType<typeof ssh2.utils.parseKey>;
  try {
    parsed = ssh2.utils.parseKey(inClear(text, passphrase), passphrase?.reveal());
  } catch (cause) {
    throw unfit(cause, encrypted);
  }
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) throw unfit(key, passphrase !== undefined);
  if (!key?.isPrivateKey()) {
    throw new AppError("misconfigured", "what privateKey names is a public key", {
      hint: "name the file without .pub",
    });
  }
  return key.type.startsWith("ecdsa-") ? ofFullLength(key) : key;
}

/**
 * A key as OpenSSL writes them is opened by the runtime: the library leaves the padding of an encrypted one in place,
 * with which no signature comes about, and does not know PKCS #8. Any other is left to the library.
 */
function inClear(text: string, passphrase: Secret | undefined): string {
  if (!/-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----/.test(text)) return text;
  const key = createPrivateKey({ key: text, ...(passphrase ? { passphrase: passphrase.reveal() } : {}) });
  const type = key.asymmetricKeyType === "ec" ? "sec1" as const : "pkcs1" as const;
  return key.export({ type, format: "pem" }).toString();
}

/**
 * The same key, which signs with its secret number as long as its curve wants it. OpenSSH writes the number of half of
 * all keys with a zero before it, or without one; the library passes that on, and the runtime then signs nothing.
 */
function ofFullLength(key: ParsedKey): ParsedKey {
  const [curve, size, hash] = CURVES[key.type] ?? [];
  if (curve === undefined || size === undefined || hash === undefined) return key;
  const der = Buffer.from(key.getPrivatePEM().replace(/-----.*?-----|\s/g, ""), "base64");
  // SEC 1: version 1, then the secret number as so many bytes.
  const at = der.indexOf(Buffer.from([0x02, 0x01, 0x01, 0x04])) + 4;
  const secret = der.subarray(at + 1, at + 1 + der[at]!);
  const full = Buffer.concat([Buffer.alloc(size), secret]).subarray(-size);
  const point = key.getPublicSSH().subarray(-2 * size);
  const text = (bytes: Buffer) => bytes.toString("base64url");
  const jwk = {
    ...{ kty: "EC", crv: curve, d: text(full) },
    ...{ x: text(point.subarray(0, size)), y: text(point.subarray(size)) },
  };
  const whole = createPrivateKey({ key: jwk, format: "jwk" });
  return Object.assign(Object.create(key), { sign: (data: Uint8Array) => sign(hash, data, whole) });
}

/** Curves by the type of their keys, with the bytes of a number on them and the hash that belongs to them. */
const CURVES: Readonly<Record<string, [string, number, string]>> = {
  "ecdsa-sha2-nistp256": ["P-256", 32, "sha256"],
  "ecdsa-sha2-nistp384": ["P-384", 48, "sha384"],
  "ecdsa-sha2-nistp521": ["P-521", 66, "sha512"],
};

function unfit(cause: unknown, mayBePassphrase: boolean): AppError {
  const message = cause instanceof Error ? cause.message : "";
  if (/no passphrase given/.test(message)) return noPassphrase();
  if (mayBePassphrase && /integrity check|passphrase|decrypt|DECODER|PEM/i.test(message)) {
    return new AppError("misconfigured", "the passphrase does not fit the private key", { cause });
  }
  return new AppError("misconfigured", "privateKey names something that is no private key that can be used", {
    cause,
    hint: "ssh-keygen -t ed25519 makes one; ssh-keygen -p -f FILE rewrites an old one",
  });
}

function noPassphrase(): AppError {
  return new AppError("misconfigured", "the private key is encrypted", {
    hint: 'give what it is encrypted with as "passphrase"',
  });
}
