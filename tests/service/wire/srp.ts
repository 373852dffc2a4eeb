import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { base64url, concat, sha256 } from "./encryption.ts";

/** The 4096-bit MODP group of RFC 3526, which 1Password's "SRPg-4096" uses. */
const PRIME = BigInt(
  "0x" +
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A92108011A723C12A787E6D7" +
    "88719A10BDBA5B2699C327186AF4E23C1A946834B6150BDA2583E9CA2AD44CE8DBBBC2DB04DE8EF92E8EFC141FBECAA6" +
    "287C59474E6BC05D99B2964FA090C3A2233BA186515BE7ED1F612970CEE2D7AFB81BDD762170481CD0069127D5B05AA9" +
    "93B4EA988D8FDDC186FFB7DC90A6C08F4DF435C934063199FFFFFFFFFFFFFFFF",
);
const PRIME_BYTES = 512;
const GENERATOR = 5n;
const MULTIPLIER = toBigint(sha256(toBytes(PRIME), toPaddedBytes(GENERATOR)));

/** What the server keeps instead of the client's secret `x`. */
export function verifierFor(x: bigint): bigint {
  return power(GENERATOR, x);
}

/** Who signs in, as the proofs of both sides name them. */
export interface SrpIdentity {
  email: string;
  /** The six characters of the secret key that are not secret ("A3-XXXXXX-…"). */
  secretKeyId: string;
  salt: Uint8Array;
}

/** What both sides hold after the exchange. */
export interface SrpAgreement {
  /** 32 bytes: the key of the session. */
  key: Uint8Array;
  /** M1, which the client must show; base64url. */
  clientProof: string;
  /** M2, which the server shows in return; base64url. */
  serverProof: string;
}

/** The server's half of one SRP-6a sign-in, in 1Password's dialect. */
export class SrpExchange {
  readonly #verifier: bigint;
  readonly #secret = toBigint(randomBytes(32));
  readonly #public: bigint;

  constructor(verifier: bigint) {
    this.#verifier = verifier;
    this.#public = (MULTIPLIER * verifier + power(GENERATOR, this.#secret)) % PRIME;
  }

  /** B in lower-case hex with an even number of digits, as the core demands. */
  get publicHex(): string {
    return Buffer.from(toBytes(this.#public)).toString("hex");
  }

  /**
   * Answers the client's A (hex).
   * @returns `undefined` for an A that is no number or divisible by the prime, with which anyone could sign in.
   */
  agree(clientPublicHex: string, identity: SrpIdentity): SrpAgreement | undefined {
    if (!/^[0-9a-fA-F]{1,1024}$/.test(clientPublicHex)) return undefined;
    const clientPublic = BigInt("0x" + clientPublicHex);
    if (clientPublic % PRIME === 0n) return undefined;

    const scramble = toBigint(sha256(toPaddedBytes(clientPublic), toPaddedBytes(this.#public)));
    const shared = power(clientPublic * power(this.#verifier, scramble), this.#secret);
    const key = sha256(shared.toString(16));

    const a = toBytes(clientPublic);
    const b = toBytes(this.#public);
    const generatorHash = sha256(toBytes(GENERATOR));
    const group = sha256(toBytes(PRIME)).map((byte, at) => byte ^ generatorHash[at]!);
    const name = base64url(sha256(sha256(identity.secretKeyId), sha256(identity.email.toLowerCase())));
    const clientProof = sha256(group, sha256(name), identity.salt, a, b, key);
    return {
      key,
      clientProof: base64url(clientProof),
      serverProof: base64url(sha256(a, clientProof, key)),
    };
  }
}

/** Square and multiply: 4 ms for a 256-bit exponent, so nothing cleverer is needed. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  base %= PRIME;
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * base % PRIME;
    base = base * base % PRIME;
  }
  return result;
}

/** The bytes as one number, most significant first. */
export function toBigint(bytes: Uint8Array): bigint {
  return BigInt("0x" + Buffer.from(bytes).toString("hex"));
}

function toBytes(number: bigint): Uint8Array {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 ? "0" + hex : hex, "hex");
}

function toPaddedBytes(number: bigint): Uint8Array {
  const bytes = toBytes(number);
  return concat(new Uint8Array(PRIME_BYTES - bytes.length), bytes);
}
