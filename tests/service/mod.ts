/**
 * A local 1Password service into which the real core of `@1password/sdk` 0.5.0 signs in. Nothing in it is mocked on the
 * client's side: SRP, key sets, encrypted items and files travel as they do to 1Password.
 *
 * ```ts
 * await using service = await startService({ name: "Acme", vaults: [{ title: "Finance", items: [{ title: "Bank" }] }] });
 * const client = await createClient({ auth: service.token(), integrationName: "test", integrationVersion: "1" });
 * service.faults.status("items/batch", 503, { times: 1 });
 * service.account.vault("Finance").item("Bank").archive();
 * ```
 *
 * - description.ts: the account in plain words. sample_account.ts, big_account.ts: two of them.
 * - account/: the account as it stands now. server/: routes, sessions, the way of a request. wire/: formats and encryption.
 * - faults.ts, requests.ts: what to do wrong, and what was asked. sdk.ts: signs the SDK or its bare core in.
 * - main.ts: the same service as a program, `deno task service`.
 *
 * @module
 */
export * from "./description.ts";
export type { LiveAccount, RefusalStatus } from "./account/live_account.ts";
export type { LiveItem } from "./account/live_item.ts";
export type { LiveVault } from "./account/live_vault.ts";
export { bigAccount, type BigAccountSize } from "./big_account.ts";
export type { Fault, FaultRoute, Faults, FaultTiming } from "./faults.ts";
export type { RequestEntry, Requests } from "./requests.ts";
export { sampleAccount } from "./sample_account.ts";
export type { CallSummary } from "./server/call.ts";
export type { RequestHook } from "./server/hooks.ts";
export type { RouteName } from "./server/route_names.ts";
export { type LocalService, type ServiceOptions, startService } from "./service.ts";
export { CATEGORIES, type Category } from "./wire/categories.ts";
export type { TokenOverrides } from "./wire/credentials.ts";
export { generatedContent, type StoredFile } from "./wire/files.ts";
