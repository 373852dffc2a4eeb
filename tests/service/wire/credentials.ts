import { randomBytes } from "node:crypto";
import { base64url, type Bytes, fromBase64url, seal, sha256, symmetricJwk } from "./encryption.ts";
import { derivedId, randomId } from "./ids.ts";
import { asObject, asString, type JsonObject } from "./json.ts";
import { toBigint, verifierFor } from "./srp.ts";

const RSA = { name: "RSA-OAEP", hash: "SHA-1" } as const;
const USER_AUTH = { method: "SRPg-4096", alg: "PBES2g-HS256", iterations: 650_000 } as const;

/** What may differ in a token from the one that the service would accept. */
export interface TokenOverrides {
  /** A token of the right form whose secret is not the account's: the service refuses its proof. */
  wrongSecret?: boolean;
  /** The address that the core talks to, such as `https://localhost:8443`; the service's own when left out. */
  signInAddress?: string;
  /** Any member of the token, as it stands in it. */
  raw?: JsonObject;
}

/** The symmetric key of a vault. Its id is not the vault's. */
export interface VaultKey {
  id: string;
  bytes: Bytes;
}

/**
 * A service account: who it is, the secrets in its token, and its key set. The ids derive from the account's seed; the
 * secrets are made anew for each service.
 */
export class Credentials {
  readonly accountId: string;
  readonly userId: string;
  readonly keysetId: string;
  readonly email: string;
  /** The part of the secret key that is no secret. */
  readonly secretKeyId = "FAKE22";
  readonly salt: Bytes = new Uint8Array(randomBytes(16));
  readonly verifier: bigint;
  /** The public half of the key set as JSON Web Key, under the given key id. */
  readonly publicJwk: (kid: string) => JsonObject;
  /** The key sets as the service hands them out. */
  readonly keysets: JsonObject[];
  readonly #srpX: Bytes = new Uint8Array(randomBytes(32));
  readonly #masterUnlockKey: Bytes = new Uint8Array(randomBytes(32));
  readonly #deviceId = randomId();
  readonly #keyPair: CryptoKeyPair;

  private constructor(seed: string, keys: RsaKeys) {
    this.accountId = derivedId(seed, "account").toUpperCase();
    this.userId = derivedId(seed, "service account").toUpperCase();
    this.keysetId = derivedId(seed, "key set");
    this.email = `${derivedId(seed, "email").slice(0, 13)}@1passwordserviceaccounts.com`;
    this.verifier = verifierFor(toBigint(this.#srpX));
    this.#keyPair = keys.pair;
    this.publicJwk = (kid) => ({ ...keys.publicJwk, alg: "RSA-OAEP", key_ops: ["encrypt"], kid });
    this.keysets = [this.#keyset(keys)];
  }

  static async create(seed: string): Promise<Credentials> {
    return new Credentials(seed, await rsaKeys());
  }

  /** The `ops_…` token for a service at this address. */
  token(address: string, overrides: TokenOverrides = {}): string {
    const srpX = overrides.wrongSecret ? sha256("wrong", this.#srpX) : this.#srpX;
    const token: JsonObject = {
      signInAddress: overrides.signInAddress ?? address,
      userAuth: this.userAuth(),
      email: this.email,
      srpX: srpX.toHex(),
      muk: symmetricJwk("mp", this.#masterUnlockKey),
      secretKey: `A3-${this.secretKeyId}-FAKE22-FAKE2-FAKE2-FAKE2-FAKE2`,
      throttleSecret: {
        seed: sha256("throttle", this.email).toHex(),
        uuid: derivedId(this.email).toUpperCase(),
      },
      deviceUuid: this.#deviceId,
      ...overrides.raw,
    };
    return "ops_" + new TextEncoder().encode(JSON.stringify(token)).toBase64({ omitPadding: true });
  }

  /** How the core is to derive its side of the sign-in. */
  userAuth(): JsonObject {
    return { ...USER_AUTH, salt: base64url(this.salt) };
  }

  /** Wraps a vault's key so that this service account can open it. */
  async wrapVaultKey(key: VaultKey): Promise<JsonObject> {
    const jwk = new TextEncoder().encode(JSON.stringify(symmetricJwk(key.id, key.bytes)));
    const data = await crypto.subtle.encrypt(RSA, this.#keyPair.publicKey, jwk);
    return { kid: this.keysetId, enc: "RSA-OAEP", cty: "b5+jwk+json", data: base64url(new Uint8Array(data)) };
  }

  /** Opens a vault key that the core wrapped for this service account. */
  async unwrapVaultKey(wrapped: JsonObject): Promise<VaultKey> {
    const data = fromBase64url(asString(wrapped.data));
    const plain = await crypto.subtle.decrypt(RSA, this.#keyPair.privateKey, data);
    const jwk = asObject(JSON.parse(new TextDecoder().decode(plain))) ?? {};
    return { id: asString(jwk.kid), bytes: fromBase64url(asString(jwk.k)) };
  }

  /** The chain of keys: the token's master unlock key opens a symmetric key, that one the private key. */
  #keyset(keys: RsaKeys): JsonObject {
    const symmetricKey = randomBytes(32);
    const opened = seal(this.#masterUnlockKey, "mp", symmetricJwk(this.keysetId, symmetricKey));
    return {
      uuid: this.keysetId,
      encryptedBy: "mp",
      sn: 1,
      encSymKey: { ...opened, alg: USER_AUTH.alg, p2c: USER_AUTH.iterations, p2s: base64url(this.salt) },
      encPriKey: seal(symmetricKey, this.keysetId, {
        ...keys.privateJwk,
        alg: "RSA-OAEP",
        key_ops: ["decrypt"],
        kid: this.keysetId,
      }),
      pubKey: this.publicJwk(this.keysetId),
      encSPriKey: null,
      spubKey: null,
      createdAt: "2024-01-01T00:00:00Z",
      updatedAt: "2024-01-01T00:00:00Z",
    };
  }
}

interface RsaKeys {
  pair: CryptoKeyPair;
  publicJwk: JsonObject;
  privateJwk: JsonObject;
}

let sharedKeys: Promise<RsaKeys> | undefined;

/** One RSA key pair for all services of this process: making one takes longer than a whole sign-in. */
function rsaKeys(): Promise<RsaKeys> {
  sharedKeys ??= (async () => {
    const parameters = { ...RSA, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
    const pair = await crypto.subtle.generateKey(parameters, true, ["encrypt", "decrypt"]);
    return {
      pair,
      publicJwk: { ...await crypto.subtle.exportKey("jwk", pair.publicKey) } as JsonObject,
      privateJwk: { ...await crypto.subtle.exportKey("jwk", pair.privateKey) } as JsonObject,
    };
  })();
  return sharedKeys;
}
