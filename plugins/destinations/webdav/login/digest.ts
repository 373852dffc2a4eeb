import { createHash } from "node:crypto";
import { hex } from "../../../../src/base/bytes.ts";
import type { Challenge } from "./challenges.ts";

/** Strongest first. */
const ALGORITHMS = {
  "sha-256": "sha256",
  "sha-256-sess": "sha256",
  "md5": "md5",
  "md5-sess": "md5",
} as const;
type Algorithm = keyof typeof ALGORITHMS;

/** Who signs in by a digest (RFC 7616, and RFC 2069 where the server knows no better). */
export interface DigestUser {
  username: string;
  password: string;
  random(length: number): Uint8Array;
}

/** A nonce and what is answered to it. */
export class Digest {
  /** Whether the server has accepted an answer to it: a later refusal then means that it has grown old. */
  proven = false;
  #count = 0;

  private constructor(
    readonly user: DigestUser,
    readonly realm: string,
    readonly nonce: string,
    readonly opaque: string | undefined,
    readonly algorithm: Algorithm,
    /** The word for it that the server has used; undefined where it has used none. */
    readonly named: string | undefined,
    readonly qop: boolean,
  ) {}

  /** The best of what is offered; undefined where there is none that we can answer. */
  static from(challenges: readonly Challenge[], user: DigestUser): Digest | undefined {
    const digests = challenges.flatMap((challenge) => Digest.#of(challenge, user) ?? []);
    const order = Object.keys(ALGORITHMS);
    return digests.sort((a, b) => order.indexOf(a.algorithm) - order.indexOf(b.algorithm))[0];
  }

  static #of({ scheme, parameters }: Challenge, user: DigestUser): Digest | undefined {
    const realm = parameters.get("realm"), nonce = parameters.get("nonce");
    const named = parameters.get("algorithm"), algorithm = (named ?? "md5").toLowerCase();
    if (scheme !== "digest" || realm === undefined || !nonce || !(algorithm in ALGORITHMS)) return undefined;
    const qop = parameters.get("qop");
    // Only with the body's own hash, which a stream has at its end: not to be had.
    if (qop !== undefined && !/(^|,)\s*auth\s*(,|$)/i.test(qop)) return undefined;
    // What is sent back must fit into a header.
    if (/[^\x20-\x7e]/.test(`${realm}${nonce}${parameters.get("opaque")}`)) return undefined;
    return new Digest(
      user,
      realm,
      nonce,
      parameters.get("opaque"),
      algorithm as Algorithm,
      named,
      qop !== undefined,
    );
  }

  /** The value of `authorization` for one request; each has a number of its own. */
  authorize(method: string, target: string): string {
    const { user: { username, password, random }, realm, nonce, opaque, algorithm, named } = this;
    const hash = (text: string) => createHash(ALGORITHMS[algorithm]).update(text).digest("hex");
    const count = (++this.#count).toString(16).padStart(8, "0"), own = hex(random(16));
    const secret = hash(`${username}:${realm}:${password}`);
    const session = algorithm.endsWith("-sess") ? hash(`${secret}:${nonce}:${own}`) : secret;
    const request = hash(`${method}:${target}`);
    const response = this.qop
      ? hash(`${session}:${nonce}:${count}:${own}:auth:${request}`)
      : hash(`${session}:${nonce}:${request}`);
    const plain = /^[\x20-\x7e]*$/.test(username);
    return "Digest " + [
      plain ? `username=${inQuotes(username)}` : `username*=UTF-8''${encoded(username)}`,
      `realm=${inQuotes(realm)}`,
      `nonce=${inQuotes(nonce)}`,
      `uri=${inQuotes(target)}`,
      `response="${response}"`,
      ...(named === undefined ? [] : [`algorithm=${named}`]),
      ...(opaque === undefined ? [] : [`opaque=${inQuotes(opaque)}`]),
      ...(this.qop ? [`qop=auth`, `nc=${count}`] : []),
      ...(this.qop || algorithm.endsWith("-sess") ? [`cnonce="${own}"`] : []),
    ].join(", ");
  }
}

function inQuotes(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}
