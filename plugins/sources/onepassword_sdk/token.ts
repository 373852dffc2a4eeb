import type { Account } from "../../../src/model/vault.ts";

/**
 * What a service account token says of itself beside its keys: where and as whom it signs in. The core tells no
 * account id.
 */
export function accountOf(token: string): Account | undefined {
  try {
    const { signInAddress, email } = JSON.parse(atob(token.slice("ops_".length)));
    return {
      ...(typeof signInAddress === "string" ? { url: signInAddress } : {}),
      ...(typeof email === "string" ? { signedInAs: email } : {}),
    };
  } catch {
    return undefined; // the core judges tokens, with words for people; an unreadable one merely tells nothing here
  }
}
