import type { Handler } from "./call.ts";
import { getItem, getItems, listItems, readFile } from "./read_items.ts";
import { getAccount, getGroup, getKeysets, getVault, listVaults, preflightVault } from "./read_vaults.ts";
import { refusal } from "./reply.ts";
import type { RouteName } from "./route_names.ts";
import { completeSignIn, confirmKey, exchangeKeys, startSignIn } from "./sign_in.ts";
import { createVault, deleteVault, updateVault, uploadFile, writeItems } from "./writes.ts";

/** How far a core must have come for a route: nowhere, a session begun, or a session confirmed and requests signed. */
export type Standing = "nobody" | "session" | "signed in";

interface Route {
  name: RouteName;
  method: string;
  pattern: RegExp;
  handler: Handler;
  standing: Standing;
}

/** Everything that the core of `@1password/sdk` 0.5.0 was seen to ask for. */
const ROUTES: readonly Route[] = [
  route("auth/start", "POST", "v3/auth/start", startSignIn, "nobody"),
  route("auth/exchange", "POST", "v2/auth", exchangeKeys, "session"),
  route("auth/confirm", "POST", "v2/auth/confirm-key", confirmKey, "session"),
  route("auth/complete", "POST", "v2/auth/complete", completeSignIn),
  route("account/get", "GET", "v3/account", getAccount),
  route("account/keysets", "GET", "v2/account/keysets", getKeysets),
  route("group/get", "GET", "v2/group/{group}", getGroup),
  route("vaults/list", "GET", "v1/vaults", listVaults),
  route("vault/get", "GET", "v3/vault/{vault}", getVault),
  route("vault/preflight", "GET", "v1/vault/preflight/create", preflightVault),
  route("vault/create", "POST", "v2/vault", createVault),
  route("vault/update", "PUT", "v3/vault/{vault}/attrs", updateVault),
  route("vault/delete", "DELETE", "v4/vault/{vault}", deleteVault),
  route("items/overviews", "GET", "v1/vault/{vault}/items/overviews", listItems),
  route("items/batch", "POST", "v3/vault/{vault}/items/batch", getItems),
  route("items/write", "PATCH", "v3/vault/{vault}/{version}/items", writeItems),
  route("item/get", "GET", "v1/vault/{vault}/item/{item}", getItem),
  route("file/read", "GET", "v2/file/{vault}/{item}/{file}", readFile),
  route("file/upload", "POST", "v3/file", uploadFile),
];

/** A request recognised, with the ids in its path. */
export interface RouteMatch {
  name: RouteName;
  handler: Handler;
  standing: Standing;
  vaultId?: string;
  itemId?: string;
  fileId?: string;
  groupId?: string;
  contentVersion?: string;
}

/** Finds the route of a request. One that the service does not know is "unknown" and answered 404. */
export function findRoute(method: string, path: string): RouteMatch {
  for (const { name, method: wanted, pattern, handler, standing } of ROUTES) {
    const found = method === wanted ? pattern.exec(path) : null;
    if (!found) continue;
    const { vault, item, file, group, version } = found.groups ?? {};
    return {
      name,
      handler,
      standing,
      ...vault && { vaultId: vault },
      ...item && { itemId: item },
      ...file && { fileId: file },
      ...group && { groupId: group },
      ...version && { contentVersion: version },
    };
  }
  return { name: "unknown", handler: () => refusal(404), standing: "nobody" };
}

function route(
  name: RouteName,
  method: string,
  path: string,
  handler: Handler,
  standing: Standing = "signed in",
): Route {
  const pattern = path.replace(
    /\{(\w+)\}/g,
    (_, part) => `(?<${part}>${part === "version" ? "\\d+" : "[a-z2-7]{26}"})`,
  );
  return { name, method, pattern: new RegExp(`^/api/${pattern}$`), handler, standing };
}
