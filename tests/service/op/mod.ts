/**
 * A program that stands in for 1Password's `op`, which cannot be installed here. It answers out of the same account as
 * the local 1Password service, in the words and shapes that the real one is known to use.
 *
 * ```ts
 * await using op = await startFakeOp({ account: service.account, folder: scratch.path, tokens: [service.token()] });
 * op.fake.faults.hang("item get", { times: 1 });
 * op.fake.account.vault("Finance").item("Bank").archive();
 * // … run op.path …
 * assert.equal(op.fake.calls.count("item get"), 1);
 * ```
 *
 * - fake_op.ts: what it answers, and how it is signed in. vault_commands.ts, account_commands.ts: its commands.
 * - item_json.ts, field_json.ts: items as it prints them. errors.ts: its sentences.
 * - program.ts, wrapper.ts: the program itself, which passes everything on to the test over HTTP. server.ts: the other end.
 *
 * @module
 */
export { SAYS } from "./errors.ts";
export type { FakeOp, MadeServiceAccount, Person } from "./fake_op.ts";
export type { Blow, OpFaultTiming } from "./faults.ts";
export type { OpCall } from "./calls.ts";
export { type FakeOpOptions, type RunningFakeOp, startFakeOp } from "./server.ts";
export type { Manners } from "./wrapper.ts";
