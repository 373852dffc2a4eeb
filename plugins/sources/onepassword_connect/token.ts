import { z } from "zod";
import { fromBase64, fromUtf8 } from "../../../src/base/bytes.ts";
import { connectError } from "./errors.ts";

/** What a Connect token says of itself; nobody checks its signature here, so it is worth no more than a hint. */
const claims = z.looseObject({
  "1password.com/auuid": z.string().optional(),
  "1password.com/vts": z.array(z.looseObject({ u: z.string() })).optional(),
});

export interface TokenClaims {
  /** The account's id. */
  accountId?: string;
  /** Ids of the vaults that it was made for, in lower case. */
  vaultIds: string[];
}

/** Throws `denied` for what cannot be a Connect token, before it is sent anywhere or quoted by an error. */
export function checkToken(token: string): void {
  if (/^ops_/.test(token)) {
    throw connectError("denied", "the Connect token is a service account token", {
      hint: "a service account needs no Connect server: use the source onepassword-sdk",
    });
  }
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$/.test(token)) {
    throw connectError("denied", "the Connect token is not a token (damaged or cut off?)", {
      hint: "a Connect token is one long line of three parts with dots between them",
    });
  }
}

/** What the token says of itself: empty where it says nothing that is understood. */
export function claimsOf(token: string): TokenClaims {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const said = claims.parse(JSON.parse(fromUtf8(fromBase64(payload, "the token"), "the token")));
    const accountId = said["1password.com/auuid"];
    return {
      ...(accountId === undefined || accountId === "" ? {} : { accountId }),
      vaultIds: (said["1password.com/vts"] ?? []).map(({ u }) => u.toLowerCase()),
    };
  } catch {
    return { vaultIds: [] }; // the server judges tokens; an unreadable one merely tells nothing here
  }
}
