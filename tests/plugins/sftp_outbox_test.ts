/** What stands between ssh2 and the network. */
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { concat } from "../../src/base/bytes.ts";
import { sample } from "../../src/destination/conformance/bench.ts";
import { ending } from "../../plugins/destinations/sftp/ssh/library.ts";
import { Outbox } from "../../plugins/destinations/sftp/ssh/outbox.ts";

const MIB = 1024 * 1024;
const never = (error: unknown) => assert.fail(String(error));

Deno.test("what is added goes out in its order and whole, however large and however slow", async () => {
  const sent: Uint8Array[] = [];
  const outbox = new Outbox(async (bytes) => {
    await new Promise((resolve) => setTimeout(resolve));
    sent.push(bytes.slice());
  }, never);
  const pieces = [5, 700_000, 3 * MIB, 1, 9 * MIB + 3, 4 * MIB, 17].map((size) => sample(size));
  for (const piece of pieces) {
    const mine = piece.slice();
    await new Promise<void>((taken) => outbox.add(mine, taken));
    mine.fill(0); // it is ours again
  }
  const size = concat(pieces).length;
  while (concat(sent).length < size) await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(concat(sent), concat(pieces));
});

Deno.test("what is added is taken at once while there is room, and not before there is", async () => {
  const gate = Promise.withResolvers<void>();
  const outbox = new Outbox(() => gate.promise, never);
  const taken: number[] = [];
  outbox.add(new Uint8Array(4 * MIB), () => taken.push(1));
  outbox.add(new Uint8Array(1), () => taken.push(2));
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(taken, [1]);
  outbox.flush(() => taken.push(3));
  gate.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  outbox.flush(() => taken.push(4));
  assert.deepEqual(taken, [1, 2, 3, 4]);
});

Deno.test("a network that fails is told once, and nothing more is sent", async () => {
  let sent = 0;
  const told: unknown[] = [];
  const outbox = new Outbox(() => {
    sent++;
    return Promise.reject(new Error("gone"));
  }, (error) => told.push(error));
  outbox.add(new Uint8Array(10), () => {});
  await new Promise((resolve) => setTimeout(resolve));
  outbox.add(new Uint8Array(10), () => {});
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([sent, String(told)], [1, "Error: gone"]);
});

Deno.test("a cipher that is used once ends itself; others are left alone, and so is node:crypto", () => {
  const key = crypto.randomBytes(32), iv = crypto.randomBytes(16), text = sample(100);
  const made: string[] = [];
  const create = (algorithm: string) => {
    const cipher = crypto.createCipheriv(algorithm, key, iv);
    return Object.setPrototypeOf({}, {
      update: (bytes: Uint8Array) => (made.push("update"), cipher.update(bytes)),
      final: () => (made.push("final"), cipher.final()),
    });
  };
  const whole = (algorithm: string) => {
    const cipher = crypto.createCipheriv(algorithm, key, iv);
    return concat([cipher.update(text.subarray(0, 64)), cipher.update(text.subarray(64)), cipher.final()]);
  };
  assert.deepEqual(new Uint8Array(ending(create)("chacha20").update(text)), whole("chacha20"));
  assert.deepEqual(made, ["update", "final"]);
  const other = ending(create)("aes-256-ctr");
  other.update(text);
  assert.deepEqual(made, ["update", "final", "update"]);
  other.final(); // the runtime tells of one that was not ended
});
