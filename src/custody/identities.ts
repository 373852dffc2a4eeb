import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { AppError, isAppError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { quoted } from "../base/safe_names.ts";
import { Secret } from "../base/secret.ts";
import type { World } from "../base/world.ts";

/** A private key and the recipient that belongs to it. */
export interface Identity {
  secret: Secret;
  recipient: string;
}

/** No key file is larger. */
const LIMIT = 1024 * 1024;

/** Makes a new key: X25519, which every age program reads, or a post-quantum hybrid by choice. */
export async function newIdentity(postQuantum: boolean): Promise<Identity> {
  const secret = postQuantum ? await generateHybridIdentity() : await generateX25519Identity();
  return { secret: new Secret(secret), recipient: await identityToRecipient(secret) };
}

/** The text of a key file, as age-keygen writes it. */
export function identityFile(identity: Identity, made: Date): Uint8Array<ArrayBuffer> {
  const time = made.toISOString().replace(/\.\d+Z$/, "Z");
  return utf8(`# created: ${time}\n# public key: ${identity.recipient}\n${identity.secret.reveal()}\n`);
}

/**
 * Reads a key file: lines of `AGE-SECRET-KEY-…`, empty lines and `#` comments. Never refused for its permission
 * bits: in an emergency the key comes from a USB stick or a printout.
 *
 * @throws `misconfigured` with the line's number, never with its text.
 */
export async function readIdentities(world: World, path: string): Promise<Identity[]> {
  const text = await textOf(world, path);
  if (text.startsWith("age-encryption.org/") || text.startsWith("-----BEGIN AGE ENCRYPTED FILE-----")) {
    throw new AppError("misconfigured", `the key file ${quoted(path)} is itself encrypted`, {
      hint:
        `on a trusted machine, in bash or zsh: --identity <(age -d ${path}); elsewhere "age -d ${path} > key.txt", ` +
        'and "vaultferry wipe --force key.txt" afterwards',
    });
  }
  if (text.includes("\0")) {
    throw new AppError("misconfigured", `the key file ${quoted(path)} is not plain text`, {
      hint: "Windows PowerShell writes UTF-16: save the key with an editor, as plain text",
    });
  }
  const identities: Identity[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const secret = line.trim();
    if (secret === "" || secret.startsWith("#")) continue;
    try {
      identities.push({ secret: new Secret(secret), recipient: await identityToRecipient(secret) });
    } catch {
      // the cause is dropped: its message could quote a part of the key
      throw new AppError("misconfigured", `line ${index + 1} of ${quoted(path)} is not an age identity`, {
        hint: "an identity is one line that begins with AGE-SECRET-KEY-",
      });
    }
  }
  if (identities.length === 0) {
    throw new AppError("misconfigured", `there is no age identity in ${quoted(path)}`, {
      hint: "an identity is one line that begins with AGE-SECRET-KEY-",
    });
  }
  return identities;
}

/** A key file as text, whatever is in it: an encrypted one is binary, and a comment may be in any encoding. */
async function textOf(world: World, path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await world.files.read(path, LIMIT));
  } catch (cause) {
    if (!isAppError(cause, "corrupt")) throw cause;
    throw new AppError("misconfigured", `the key file ${quoted(path)} is too long for one`, {
      hint: "give the file that holds the line AGE-SECRET-KEY-…, not the archive",
      cause,
    });
  }
}
