import assert from "node:assert/strict";
import { AppError, cancellation, isAppError, throwIfCancelled, toAppError } from "../../src/base/errors.ts";
import { failure } from "./failure.ts";

Deno.test("an AppError carries its code, hint, cause, origin and retryAfter", () => {
  const cause = new Error("x");
  const error = new AppError("quota", "used up", { hint: "wait", cause, origin: "source", retryAfter: 60 });
  assert.ok(error instanceof Error);
  assert.deepEqual(
    [error.code, error.message, error.hint, error.cause, error.origin, error.retryAfter],
    ["quota", "used up", "wait", cause, "source", 60],
  );
  assert.equal("cause" in new AppError("unknown", "x"), false);
  assert.equal((new AppError("unknown", "x", { cause: undefined })).cause, undefined);
});

Deno.test("isAppError tells AppErrors from others, and by code when codes are given", () => {
  const error = new AppError("locked", "x");
  assert.ok(isAppError(error) && isAppError(error, "locked") && isAppError(error, "denied", "locked"));
  assert.ok(!isAppError(error, "denied"));
  for (const other of [new Error("x"), { code: "locked" }, undefined, null, "locked"]) {
    assert.ok(!isAppError(other));
  }
});

Deno.test("toAppError leaves AppErrors as they are and makes one of everything else", () => {
  const error = new AppError("denied", "x");
  assert.equal(toAppError(error, "corrupt"), error);
  const plain = new Error("boom");
  const made = toAppError(plain);
  assert.deepEqual([made.code, made.message, made.cause], ["unknown", "boom", plain]);
  assert.equal(toAppError(plain, "transient").code, "transient");
  for (const odd of ["text", undefined, null, 5, {}]) assert.equal(toAppError(odd).message, String(odd));
});

Deno.test("of an error and a failed closing after it, the error is told", () => {
  const first = new AppError("quota", "used up");
  assert.equal(toAppError(new SuppressedError(new Error("closing"), first)), first);
  const abort = AbortSignal.abort().reason;
  assert.equal(
    toAppError(new SuppressedError(new Error("b"), new SuppressedError("a", abort))).code,
    "cancelled",
  );
});

Deno.test("an abort becomes cancelled, a timeout does not", () => {
  const abort = toAppError(AbortSignal.abort().reason, "transient");
  assert.deepEqual([abort.code, abort.message], ["cancelled", "cancelled"]);
  assert.equal(toAppError(new DOMException("x", "TimeoutError"), "transient").code, "transient");
});

Deno.test("throwIfCancelled throws only when aborted, and the reason given when that is an AppError", async () => {
  const control = new AbortController();
  throwIfCancelled(control.signal);
  control.abort();
  await failure(() => throwIfCancelled(control.signal), "cancelled");
  const reason = new AppError("quota", "used up");
  assert.equal(await failure(() => throwIfCancelled(AbortSignal.abort(reason)), "quota"), reason);
  assert.equal(cancellation(AbortSignal.abort(new Error("x"))).code, "cancelled");
});
