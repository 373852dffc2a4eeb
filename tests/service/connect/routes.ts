import { derivedId } from "../wire/ids.ts";
import type { Json, JsonObject } from "../wire/json.ts";
import type { ItemView, VaultView, View } from "./view.ts";

/** The requests that the server knows, by the names that counts, logs, faults and hooks use. */
export const ROUTE_NAMES = [
  ...["vaults", "vault", "items", "item", "files", "file", "content", "health", "heartbeat"] as const,
  /** Anything else: answered 404. */
  "unknown",
] as const;

export type RouteName = typeof ROUTE_NAMES[number];

/** A request recognised, with the ids in its path. */
export interface Call {
  route: RouteName;
  vaultId: string;
  itemId: string;
  fileId: string;
}

/** What a route answers, before faults touch it. */
export interface Reply {
  status: number;
  contentType: string;
  body: Json | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

const PATTERNS: readonly (readonly [RouteName, string])[] = [
  ["vaults", "/v1/vaults"],
  ["vault", "/v1/vaults/{vault}"],
  ["items", "/v1/vaults/{vault}/items"],
  ["item", "/v1/vaults/{vault}/items/{item}"],
  ["files", "/v1/vaults/{vault}/items/{item}/files"],
  ["file", "/v1/vaults/{vault}/items/{item}/files/{file}"],
  ["content", "/v1/vaults/{vault}/items/{item}/files/{file}/content"],
  ["health", "/health"],
  ["heartbeat", "/heartbeat"],
];

const ROUTES = PATTERNS.map(([route, path]) => ({
  route,
  pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
}));

export function findRoute(method: string, path: string): Call {
  for (const { route, pattern } of method === "GET" ? ROUTES : []) {
    const found = pattern.exec(path);
    if (!found) continue;
    const { vault = "", item = "", file = "" } = found.groups ?? {};
    return { route, vaultId: vault, itemId: item, fileId: file };
  }
  return { route: "unknown", vaultId: "", itemId: "", fileId: "" };
}

/** Whether a route asks for a token. */
export function needsToken(route: RouteName): boolean {
  return route !== "health" && route !== "heartbeat";
}

/** What is answered when nothing goes wrong. `inScope` tells which vaults the token was made for. */
export function answerTo(call: Call, view: View, inScope: (vaultId: string) => boolean): Reply {
  const vaults = view.vaults();
  switch (call.route) {
    case "unknown":
      return { status: 404, contentType: "text/plain", body: "404 page not found\n" };
    case "heartbeat":
      return { status: 200, contentType: "text/plain", body: "." };
    case "health":
      return ok({ name: "1Password Connect API", version: "1.7.1", dependencies: [] });
    case "vaults":
      return ok(vaults.filter(({ id }) => inScope(id)).map((vault) => vault.json()));
  }
  const { vaultId } = call;
  if (!inScope(vaultId)) return refusal(403, `vault ${vaultId} is not in scope`);
  const vault = vaults.find(({ id }) => id === vaultId);
  return vault ? answerInVault(call, vault) : refusal(404, `vault ${vaultId} not found`);
}

function answerInVault({ route, itemId, fileId }: Call, vault: VaultView): Reply {
  if (route === "vault") return ok(vault.json());
  if (route === "items") return ok(vault.items());
  const item = vault.item(itemId);
  if (!item) return refusal(404, `item ${itemId} not found`);
  if (route === "item") return ok(item.json());
  if (route === "files") return ok(item.files());
  return answerWithFile(route, item, fileId);
}

function answerWithFile(route: RouteName, item: ItemView, fileId: string): Reply {
  const file = item.files().find(({ id }) => id === fileId);
  const content = file && item.content(fileId);
  if (!file || !content) return refusal(404, `file ${fileId} not found`);
  if (route === "file") return ok(file);
  return {
    status: 200,
    contentType: "application/octet-stream",
    body: content,
    headers: {
      // A header holds no more than Latin letters.
      "content-disposition": `attachment; filename="${derivedId(fileId, "name")}"`,
      "content-length": String(content.length),
    },
  };
}

function ok(body: JsonObject | JsonObject[]): Reply {
  // As it will be sent: without what is undefined.
  return { status: 200, contentType: "application/json", body: JSON.parse(JSON.stringify(body)) };
}

/** An error as Connect tells it. */
export function refusal(status: number, message: string): Reply {
  return { status, contentType: "application/json", body: { status, message } };
}
