import { createPrivateKey } from "node:crypto";
import {
  AwsClient,
  ExternalAccountAuthorizedUserClient,
  IdentityPoolClient,
  JWT,
  PluggableAuthClient,
  UserRefreshClient,
} from "google-auth-library";
import { AppError } from "../../../../src/base/errors.ts";
import { isPrivateWay } from "../../../../src/destination/http/settings.ts";
import type { CredentialFile, Found } from "./credentials.ts";
import type { TokenTransport } from "./transport.ts";

/** What gets access tokens, and gets new ones before they run out. */
export interface TokenClient {
  /** With an `authorization`. */
  getRequestHeaders(): Promise<Headers>;
}

/** Reading, writing and removing objects, and no rights on access lists. */
export const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";

/** The fields of a file of credentials whose values are secrets. */
export const SECRET_FIELDS = ["private_key", "client_secret", "refresh_token"] as const;

/** @throws `misconfigured` where the file lacks something */
export function clientOf({ file, what }: Found, transporter: TokenTransport): TokenClient {
  const text = (field: string) => {
    const value = file[field];
    if (typeof value === "string" && value !== "") return value;
    throw new AppError("misconfigured", `${what} lacks "${field}"`);
  };
  switch (file.type) {
    case "service_account":
      return serviceAccount(text("client_email"), text("private_key"), placeForTokens(file, what), what, {
        transporter,
      });
    case "authorized_user":
      return new UserRefreshClient({
        clientId: text("client_id"),
        clientSecret: text("client_secret"),
        refreshToken: text("refresh_token"),
        endpoints: { oauth2TokenUrl: placeForTokens(file, what) },
        transporter,
      });
    case "external_account":
      return externalAccount(file, what, transporter);
    case "external_account_authorized_user":
      return new ExternalAccountAuthorizedUserClient(
        {
          ...file,
          transporter,
        } as unknown as ConstructorParameters<typeof ExternalAccountAuthorizedUserClient>[0],
      );
    case "impersonated_service_account":
      return new ImpersonatedClient({ file, what }, text("service_account_impersonation_url"), transporter);
    default:
      throw new AppError("misconfigured", `${what} holds credentials of a kind that is not known here`, {
        hint: "a service account's key has the type service_account",
      });
  }
}

function serviceAccount(
  email: string,
  key: string,
  place: string,
  what: string,
  { transporter }: { transporter: TokenTransport },
): TokenClient {
  try {
    createPrivateKey(key);
  } catch {
    // Without its cause: some of them quote the key.
    throw new AppError("misconfigured", `"private_key" in ${what} is no private key`);
  }
  // The library asks Google's own place, whatever the file says, and signs for it.
  const there = Object.create(transporter) as TokenTransport;
  there.request = (options) => transporter.request({ ...options, url: place });
  return new JWT({ email, key, scopes: [SCOPE], additionalClaims: { aud: place }, transporter: there });
}

function placeForTokens(file: CredentialFile, what: string): string {
  const text = file.token_uri ?? "https://oauth2.googleapis.com/token";
  const url = typeof text === "string" ? URL.parse(text) : null;
  if (url && isPrivateWay(url)) return url.href;
  throw new AppError("misconfigured", `"token_uri" in ${what} is no address that begins with https://`);
}

/** Workload identity: a token of another cloud or cluster is exchanged for one of Google. */
function externalAccount(file: CredentialFile, what: string, transporter: TokenTransport): TokenClient {
  const source = (file.credential_source ?? {}) as Record<string, unknown>;
  try {
    const Client = source.environment_id !== undefined
      ? AwsClient
      : source.executable !== undefined
      ? PluggableAuthClient
      : IdentityPoolClient;
    const client = new Client({ ...file, scopes: [SCOPE], transporter } as never);
    // Made without it by the library: the exchange would go past the door.
    client["stsCredential"]["transporter"] = transporter;
    return client;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("misconfigured", `${what} cannot be used: ${why}`, { cause });
  }
}

/** A person or account that may act as a service account. */
class ImpersonatedClient implements TokenClient {
  readonly #source: TokenClient;
  #token: { accessToken: string; expires: number } | undefined;

  constructor({ file, what }: Found, readonly url: string, readonly transporter: TokenTransport) {
    const source = file.source_credentials as CredentialFile | undefined;
    if (typeof source?.type !== "string" || source.type === file.type || !URL.canParse(url)) {
      throw new AppError("misconfigured", `"source_credentials" in ${what} are no credentials`);
    }
    this.#source = clientOf({ file: source, what }, transporter);
    // A token for storage alone does not allow to ask for another one.
    if (this.#source instanceof JWT) this.#source.scopes = [CLOUD];
  }

  async getRequestHeaders(): Promise<Headers> {
    if (!this.#token || this.#token.expires - Date.now() < 300_000) {
      const { data } = await this.transporter.request<{ accessToken: string; expireTime: string }>({
        url: this.url,
        method: "POST",
        headers: await this.#source.getRequestHeaders(),
        data: { scope: [SCOPE], lifetime: "3600s" },
        responseType: "json",
      });
      this.#token = { accessToken: data.accessToken, expires: Date.parse(data.expireTime) };
    }
    return new Headers({ authorization: `Bearer ${this.#token.accessToken}` });
  }
}

const CLOUD = "https://www.googleapis.com/auth/cloud-platform";
