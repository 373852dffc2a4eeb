/**
 * A Connect server that holds the same account as the local 1Password service (`../mod.ts`), in Connect's JSON.
 *
 * ```ts
 * await using service = await startService(sampleAccount());
 * await using connect = ConnectServer.start(service.account);
 * await fetch(`${connect.url}/v1/vaults`, { headers: { authorization: `Bearer ${connect.token()}` } });
 * connect.faults.status("item", 503, { times: 1 });
 * connect.onRequest("item", ({ itemId }) => service.account.vault("Finance").item(itemId).archive());
 * ```
 *
 * Every request, and every answer that is not a fault's doing, error bodies included, is compared with Connect's
 * published OpenAPI description, which is read where it lies (find_published.ts); disposing of the server throws when
 * anything did not fit. Filters are not served, and nothing can be written.
 *
 * - published.ts, schema.ts: the description, and how an answer is compared with it.
 * - view.ts, render.ts, words.ts: the account in Connect's JSON, as it is or as it was copied.
 * - server.ts, routes.ts, token.ts: the way of a request. faults.ts, requests.ts: what to do wrong, what was asked.
 *
 * @module
 */
export type { Fault, Faults, FaultTiming } from "./faults.ts";
export { ABSENT, findPublished, published } from "./find_published.ts";
export { LEFT_OUT, Published } from "./published.ts";
export type { RequestEntry, Requests } from "./requests.ts";
export { type Call, ROUTE_NAMES, type RouteName } from "./routes.ts";
export { type ConnectHook, type ConnectOptions, ConnectServer } from "./server.ts";
export { makeToken, type TokenContent } from "./token.ts";
export type { Archive } from "./view.ts";
