/** The requests that the service knows, by the names that counts, logs, faults and hooks use. */
export const ROUTE_NAMES = [
  "auth/start",
  "auth/exchange",
  "auth/confirm",
  "auth/complete",
  "account/get",
  "account/keysets",
  "group/get",
  "vaults/list",
  "vault/get",
  "vault/preflight",
  "vault/create",
  "vault/update",
  "vault/delete",
  "items/overviews",
  "items/batch",
  "items/write",
  "item/get",
  "file/read",
  "file/upload",
  /** Anything else: answered 404. */
  "unknown",
] as const;

/** The name of a route. */
export type RouteName = typeof ROUTE_NAMES[number];
