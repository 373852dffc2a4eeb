import { AppError, isAppError } from "../base/errors.ts";
import { base64, fromBase64, fromUtf8, utf8 } from "../base/bytes.ts";
import { exists, writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { type Signer, signerKey } from "../archive/signature.ts";

/**
 * The host's signing key: Ed25519, PKCS #8 in `signer.key` (0600) of the state folder, with the public half in
 * `signer.pub` for people. It proves which host wrote an archive; it opens nothing.
 */

const KEY_FILE = "signer.key";
/** The key that a rotation has made, until every chain names it. */
const NEXT_FILE = "signer.next.key";
const PUBLIC_FILE = "signer.pub";
const BEGIN = "-----BEGIN PRIVATE KEY-----";
const END = "-----END PRIVATE KEY-----";

/** The signer of this state folder; made on first use. */
export async function hostSigner(world: World, state: string): Promise<Signer> {
  try {
    return await readSigner(world, state);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
  return await makeSigner(world, state);
}

/** The signer of this state folder; throws `not-found` where there is none yet. */
export function readSigner(world: World, state: string): Promise<Signer> {
  return readKeyFile(world, `${state}/${KEY_FILE}`);
}

/** The key that a rotation which was not finished has made; undefined where there is none. */
export async function readNextSigner(world: World, state: string): Promise<Signer | undefined> {
  try {
    return await readKeyFile(world, `${state}/${NEXT_FILE}`);
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
}

async function readKeyFile(world: World, path: string): Promise<Signer> {
  const pem = fromUtf8(await world.files.read(path, 16 * 1024), quoted(path)).trim();
  try {
    if (!pem.startsWith(BEGIN) || !pem.endsWith(END)) throw new AppError("corrupt", "no PEM");
    return await signerFrom(fromBase64(pem.slice(BEGIN.length, -END.length).replace(/\s/g, ""), "the key"));
  } catch {
    // the cause is dropped: nothing of a private key belongs into an error
    throw new AppError("corrupt", `${quoted(path)} is not the private key that vaultferry wrote there`, {
      hint: "restore it from a copy; a new key (remove the file) begins a new chain of archives",
    });
  }
}

async function makeSigner(world: World, state: string): Promise<Signer> {
  const { signer, pem } = await generate();
  await world.files.makeFolder(state, 0o700);
  // Never replaces: a second process that comes at the same moment uses the key of the first.
  try {
    await writeNew(world, `${state}/${KEY_FILE}`, pem, 0o600);
  } catch (error) {
    // Not found is our temporary file: another process has made a key meanwhile and swept here.
    if (isAppError(error, "already-exists", "not-found")) return await readSigner(world, state);
    throw error;
  }
  try {
    await writeNew(world, `${state}/${PUBLIC_FILE}`, publicLine(world, signer), 0o644);
  } catch (error) {
    if (!isAppError(error, "already-exists")) throw error; // left from an older key: for people only
  }
  return signer;
}

/**
 * Makes the key that is to follow this state's, or finds the one that an unfinished rotation made. It signs nothing
 * before a chain names it.
 */
export async function makeNextSigner(world: World, state: string): Promise<Signer> {
  const made = await readNextSigner(world, state);
  if (made) return made;
  const { signer, pem } = await generate();
  await writeNew(world, `${state}/${NEXT_FILE}`, pem, 0o600);
  return signer;
}

/** Puts the next key in the old one's place, which is gone then; every chain of this state must name it by now. */
export async function adoptNextSigner(world: World, state: string): Promise<void> {
  const next = await readKeyFile(world, `${state}/${NEXT_FILE}`);
  await writeDurably(world, `${state}/${PUBLIC_FILE}`, utf8(publicLine(world, next)), {
    mode: "replace",
    bits: 0o644,
  });
  await world.files.rename(`${state}/${NEXT_FILE}`, `${state}/${KEY_FILE}`);
  await world.files.syncFolder(state);
}

async function generate(): Promise<{ signer: Signer; pem: string }> {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const pem = [BEGIN, ...base64(pkcs8).match(/.{1,64}/g)!, END, ""].join("\n");
  return { signer: await signerFrom(pkcs8), pem };
}

function publicLine(world: World, signer: Signer): string {
  return `${signer.key.text} vaultferry@${world.platform.hostname()}\n`;
}

/** What `writeDurably` leaves of the private key when it is killed. */
const TEMPORARY = /^signer(\.next)?\.key\.[0-9a-f]{8}\.tmp$/;

/**
 * Removes copies of the private key that killed runs left while they made it. No lock is needed: this does something
 * only when there is a key, and then whoever makes another one at this moment takes that.
 */
export async function removeSignerLeftovers(world: World, state: string): Promise<void> {
  const leftovers = (await world.files.names(state)).filter((name) => TEMPORARY.test(name));
  if (leftovers.length === 0 || !await exists(world.files, `${state}/${KEY_FILE}`)) return;
  for (const name of leftovers) {
    try {
      await world.files.remove(`${state}/${name}`);
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error; // another run was faster
    }
  }
}

function writeNew(world: World, path: string, text: string, bits: number): Promise<void> {
  return writeDurably(world, path, utf8(text), { mode: "new", bits });
}

async function signerFrom(pkcs8: Uint8Array<ArrayBuffer>): Promise<Signer> {
  // Extractable once, because WebCrypto gives the public half of a private key only by way of its JWK.
  const extractable = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", extractable) as { x: string };
  const raw = fromBase64(x.replace(/-/g, "+").replace(/_/g, "/").padEnd(44, "="), "the key");
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  return {
    key: signerKey(raw),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, message)),
  };
}
