import type { LiveAccount } from "../account/live_account.ts";
import { derivedId } from "../wire/ids.ts";

/** What a token says of itself; its maker may leave things out. */
export interface TokenContent {
  /** Ids of the vaults that it was made for; all vaults of the account when left out. */
  vaults?: readonly string[];
  /** Tells two tokens for the same vaults apart. */
  name?: string;
}

/** May be read and nothing else. */
const READ = 48;

/** A Connect token: a JWT of the form that 1Password issues, with a signature that nobody could check. */
export function makeToken(account: LiveAccount, { vaults, name = "token" }: TokenContent = {}): string {
  const { accountId } = account.credentials;
  const ids = vaults ?? account.vaults.map(({ id }) => id);
  const payload = {
    "1password.com/auuid": accountId,
    "1password.com/token": derivedId(accountId, "connect", name),
    "1password.com/fts": ["vaultaccess"],
    "1password.com/vts": ids.map((u) => ({ u, a: READ })),
    aud: ["com.1password.connect"],
    sub: derivedId(accountId, "connect server"),
    iat: 1_704_067_200,
    iss: "com.1password.b5",
    jti: derivedId(accountId, "jti", name),
  };
  const signature = [1, 2, 3, 4].map((part) => derivedId(accountId, name, "signature", part)).join("").slice(
    0,
    86,
  );
  return [{ alg: "ES256", kid: derivedId(accountId, "kid"), typ: "JWT" }, payload]
    .map((part) => base64url(JSON.stringify(part))).concat(signature).join(".");
}

function base64url(text: string): string {
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
