import type { LiveAccount } from "../account/live_account.ts";
import { base64url, type Envelope, hmacSha256, isEnvelope, seal, unseal } from "../wire/encryption.ts";
import { randomId } from "../wire/ids.ts";
import { asObject, asString, type Json, type JsonObject } from "../wire/json.ts";
import { type SrpAgreement, SrpExchange } from "../wire/srp.ts";
import { plain, refusal, type Reply, sealed } from "./reply.ts";

/** 1Password derives the key that signs requests from this sentence. */
const MAC_SALT = "He never wears a Mac, in the pouring rain. Very strange.";

/** A signed-in core, or one on its way there. */
export class Session {
  readonly id: string = randomId().toUpperCase();
  readonly exchange: SrpExchange;
  readonly generation: number;
  agreement: SrpAgreement | undefined;
  /** Whether the core has proved that it knows the secret. */
  confirmed = false;

  constructor(account: LiveAccount) {
    this.exchange = new SrpExchange(account.credentials.verifier);
    this.generation = account.generation;
  }

  seal(body: Json): Envelope & JsonObject {
    return seal(this.#key(), this.id, body);
  }

  unseal(envelope: Envelope): Json {
    return unseal(this.#key(), envelope);
  }

  /** Checks the request's X-AgileBits-MAC, `v1|number|MAC`. */
  signed(method: string, url: URL, header: string): boolean {
    const [version, number, mac] = header.split("|");
    // The host without its port, and a "?" even where no query follows.
    const target = `${url.hostname}${url.pathname}?${url.search.slice(1)}`;
    const key = hmacSha256(this.#key(), MAC_SALT);
    const expected = hmacSha256(key, `${this.id}|${method}|${target}|v1|${number}`).subarray(0, 12);
    return version === "v1" && mac === base64url(expected);
  }

  #key(): Uint8Array {
    if (!this.agreement) throw new Error("the session has no key yet");
    return this.agreement.key;
  }
}

/** Signs cores in: SRP in four requests, as the facts describe it. */
export class Sessions {
  readonly #account: LiveAccount;
  readonly #sessions = new Map<string, Session>();

  constructor(account: LiveAccount) {
    this.#account = account;
  }

  /** The session that a request names, unless it has ended. */
  find(id: string | null): Session | undefined {
    const session = this.#sessions.get(id ?? "");
    return session?.generation === this.#account.generation ? session : undefined;
  }

  /** POST auth/start: names the account and gets a session that is worth nothing yet. */
  start(body: JsonObject): Reply {
    const { credentials, revoked } = this.#account;
    if (revoked !== undefined) return refusal(revoked, "The service account token has been revoked.");
    if (body.email !== credentials.email) return refusal(401);
    const session = new Session(this.#account);
    this.#sessions.set(session.id, session);
    return plain({
      status: "ok",
      sessionID: session.id,
      accountKeyFormat: "A3",
      accountKeyUuid: credentials.secretKeyId,
      userUuid: credentials.userId,
      userAuth: credentials.userAuth(),
    });
  }

  /** POST auth: exchanges the public numbers. */
  exchange(session: Session, body: JsonObject): Reply {
    const { email, secretKeyId, salt } = this.#account.credentials;
    session.agreement = session.exchange.agree(asString(body.userA), { email, secretKeyId, salt });
    if (!session.agreement) return refusal(400);
    return plain({ sessionID: session.id, userB: session.exchange.publicHex });
  }

  /** POST auth/confirm-key: the core proves that it has the same key, which only the right secret leads to. */
  confirm(session: Session, body: JsonObject): Reply {
    if (!session.agreement || body.clientVerifyHash !== session.agreement.clientProof) {
      this.#sessions.delete(session.id);
      return refusal(401);
    }
    session.confirmed = true;
    return plain({ serverVerifyHash: session.agreement.serverProof });
  }

  /** POST auth/complete: the first encrypted exchange. */
  complete(): Reply {
    const { accountId: accountUuid, userId: userUuid } = this.#account.credentials;
    return sealed({ accountUuid, userUuid, notifier: "", mfa: null });
  }
}

/** The request's body as the session's core meant it: decrypted, parsed, or `undefined` when it is not JSON. */
export function readBody(raw: Uint8Array, session: Session | undefined): JsonObject | Json[] | undefined {
  if (raw.length === 0) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder().decode(raw));
    if (session?.confirmed && isEnvelope(body)) body = session.unseal(body);
  } catch {
    return undefined;
  }
  return Array.isArray(body) ? body : asObject(body);
}
