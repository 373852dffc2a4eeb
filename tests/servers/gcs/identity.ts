import type http from "node:http";
import { generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { Buffer } from "node:buffer";
import { bodyOf } from "../bodies.ts";
import { Refusal, say, sayJson } from "./answers.ts";

/** What a token allows: the names that IAM has for it. */
export type Permission =
  | "storage.objects.create"
  | "storage.objects.get"
  | "storage.objects.list"
  | "storage.objects.delete"
  | "storage.objects.setRetention"
  | "storage.buckets.get";

export const EVERYTHING: readonly Permission[] = [
  "storage.objects.create",
  "storage.objects.get",
  "storage.objects.list",
  "storage.objects.delete",
  "storage.objects.setRetention",
  "storage.buckets.get",
];

/** Who may do what, and the places where tokens are had: service accounts, people, other clouds, this machine. */
export class Identity {
  /** Access tokens that hold. */
  readonly tokens = new Map<string, readonly Permission[]>();
  /** Every token request that was answered with one, by its kind. */
  readonly issued: string[] = [];
  /** Seconds that new tokens last. */
  lifetime = 3599;
  /** Whether this machine has an account of its own. */
  machine = false;
  /** Refresh tokens and subject tokens that are known. */
  readonly known = new Set<string>();
  readonly #accounts = new Map<string, { key: KeyObject; may: readonly Permission[] }>();

  /** A new service account; what its key file holds, with `address` (`http://host:port`) as the place for tokens. */
  account(address: string, may: readonly Permission[] = EVERYTHING): Record<string, string> {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const email = `backup-${this.#accounts.size}@acme.iam.gserviceaccount.com`;
    this.#accounts.set(email, { key: publicKey, may });
    return {
      type: "service_account",
      project_id: "acme",
      private_key_id: "0123456789abcdef",
      private_key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
      client_email: email,
      client_id: "1",
      token_uri: `${address}/token`,
    };
  }

  /** What the bearer of a request may do; throws 401 without a token that holds. */
  permissions(request: http.IncomingMessage): readonly Permission[] {
    const { authorization } = request.headers;
    if (authorization === undefined) {
      throw new Refusal(
        401,
        "required",
        "Anonymous caller does not have storage.objects.list access to the Google Cloud Storage bucket.",
      );
    }
    const found = this.tokens.get(authorization.replace(/^Bearer /, ""));
    // A service that tells too much: what it was given must not get into a log.
    if (!found) throw new Refusal(401, "authError", `Invalid Credentials: ${authorization}`);
    return found;
  }

  /** Answers what is asked for a token; false where it was not that. */
  async answer(request: http.IncomingMessage, answer: http.ServerResponse, url: URL): Promise<boolean> {
    if (url.pathname.startsWith("/computeMetadata/v1/")) {
      request.resume();
      return this.#machineToken(request, answer, url);
    }
    const impersonated = /^\/v1\/projects\/-\/serviceAccounts\/[^/]+:generateAccessToken$/.test(url.pathname);
    if (!impersonated && url.pathname !== "/token" && url.pathname !== "/sts") return false;
    const body = await bodyOf(request);
    if (body === undefined) return true;
    if (impersonated) {
      this.permissions(request);
      const expireTime = new Date(Date.now() + this.lifetime * 1000).toISOString();
      sayJson(answer, { accessToken: this.issue("impersonated"), expireTime });
      return true;
    }
    const form = new URLSearchParams(new TextDecoder().decode(body));
    try {
      const may = url.pathname === "/sts" ? this.#exchange(form) : this.#grant(form, url);
      const kind = form.get("grant_type")!.split(":").at(-1)!;
      sayJson(answer, {
        access_token: this.issue(kind, may),
        expires_in: this.lifetime,
        token_type: "Bearer",
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      });
    } catch (error) {
      if (!(error instanceof GrantError)) throw error;
      sayJson(answer, { error: error.code, error_description: error.message }, { status: error.status });
    }
    return true;
  }

  /** A token that holds from now on. */
  issue(kind: string, may: readonly Permission[] = EVERYTHING): string {
    const token = `ya29.${Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url")}`;
    this.tokens.set(token, may);
    this.issued.push(kind);
    return token;
  }

  #grant(form: URLSearchParams, url: URL): readonly Permission[] {
    switch (form.get("grant_type")) {
      case "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return this.#signed(form.get("assertion") ?? "", url.href);
      case "refresh_token":
        if (this.known.has(form.get("refresh_token") ?? "")) return EVERYTHING;
        throw new GrantError("invalid_grant", "Token has been expired or revoked.");
      default:
        throw new GrantError("unsupported_grant_type", "Invalid grant_type");
    }
  }

  #signed(assertion: string, audience: string): readonly Permission[] {
    const [head = "", claims = "", signature = ""] = assertion.split(".");
    const { alg } = decoded(head), { iss, scope, aud, iat, exp } = decoded(claims);
    const account = this.#accounts.get(String(iss));
    if (!account) throw new GrantError("invalid_grant", "Invalid grant: account not found");
    const bytes = new TextEncoder().encode(`${head}.${claims}`);
    if (alg !== "RS256" || !verify("RSA-SHA256", bytes, account.key, Buffer.from(signature, "base64url"))) {
      throw new GrantError("invalid_grant", "Invalid JWT Signature.");
    }
    const now = Date.now() / 1000;
    if (!(Number(iat) <= now + 60 && Number(exp) > now && Number(exp) <= Number(iat) + 3600)) {
      throw new GrantError(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
      );
    }
    if (aud !== audience) throw new GrantError("invalid_grant", "Invalid JWT: Failed audience check.");
    if (!/\/devstorage\.(read_write|full_control)$|\/cloud-platform$/.test(String(scope))) {
      throw new GrantError("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    }
    return account.may;
  }

  #exchange(form: URLSearchParams): readonly Permission[] {
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:token-exchange") {
      throw new GrantError("unsupported_grant_type", "Invalid grant_type");
    }
    if (this.known.has(form.get("subject_token") ?? "")) return EVERYTHING;
    throw new GrantError("invalid_grant", "The subject token is not known.");
  }

  #machineToken(request: http.IncomingMessage, answer: http.ServerResponse, url: URL): boolean {
    if (!this.machine) return false;
    const flavor = { "metadata-flavor": "Google" };
    if (request.headers["metadata-flavor"] !== "Google") {
      say(answer, 403, "Missing required header: Metadata-Flavor", flavor);
    } else if (url.pathname.endsWith("/instance/service-accounts/default/token")) {
      const token = { access_token: this.issue("machine"), expires_in: this.lifetime, token_type: "Bearer" };
      sayJson(answer, token, { headers: flavor });
    } else say(answer, 404, "", flavor);
    return true;
  }
}

class GrantError extends Error {
  constructor(readonly code: string, message: string, readonly status = 400) {
    super(message);
  }
}

function decoded(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString());
  } catch {
    throw new GrantError("invalid_grant", "Invalid JWT: it cannot be read.");
  }
}
