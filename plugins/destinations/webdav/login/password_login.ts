import { base64, utf8 } from "../../../../src/base/bytes.ts";
import { challengesIn } from "./challenges.ts";
import type { Login } from "./contract.ts";
import { Digest, type DigestUser } from "./digest.ts";

/** The value of `authorization` that holds the password itself. */
export function basicOf({ username, password }: Pick<DigestUser, "username" | "password">): string {
  return `Basic ${base64(utf8(`${username}:${password}`))}`;
}

/**
 * Signs in as the server asks for: by a digest, which does not send the password, or (only with `auto`) by sending it.
 * Until the server has asked nothing is sent, so the first request must have no long body.
 */
export class PasswordLogin implements Login {
  readonly schemes: readonly string[];
  #digest: Digest | undefined;
  #basic: string | undefined;

  constructor(readonly user: DigestUser, kind: "auto" | "digest") {
    this.schemes = kind === "auto" ? ["digest", "basic"] : ["digest"];
  }

  authorize(method: string, target: string): string | undefined {
    return this.#digest?.authorize(method, target) ?? this.#basic;
  }

  accepted(sent: string | undefined): void {
    if (this.#digest && sent !== undefined && answers(sent, this.#digest)) this.#digest.proven = true;
  }

  refused(text: string, sent: string | undefined): boolean {
    const challenges = challengesIn(text);
    const digest = Digest.from(challenges, this.user);
    if (digest) {
      const stale = challenges.some(({ parameters }) => /^true$/i.test(parameters.get("stale") ?? ""));
      // Somebody else of us may have learned of a new nonce while this request was under way.
      const known = this.#digest, current = sent !== undefined && known && answers(sent, known);
      const again = sent === undefined || stale || !known || !current || known.proven;
      if (again) this.#digest = digest;
      return again;
    }
    // A server that has taken a digest has no need of the password.
    if (!this.schemes.includes("basic") || this.#basic !== undefined || this.#digest?.proven) return false;
    if (!challenges.some(({ scheme }) => scheme === "basic")) return false;
    this.#digest = undefined;
    this.#basic = basicOf(this.user);
    return true;
  }
}

function answers(sent: string, { nonce }: Digest): boolean {
  return sent.includes(`nonce="${nonce.replace(/["\\]/g, "\\$&")}"`);
}
