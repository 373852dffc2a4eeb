import assert from "node:assert/strict";
import { streamOf } from "../../src/base/bytes.ts";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { sample } from "../../src/destination/conformance/bench.ts";
import { bodyOf, never } from "../../src/destination/conformance/bench.ts";
import { type PutOnce, putOnce } from "../../src/destination/put_once.ts";
import { failure } from "../base/failure.ts";

const BYTES = sample(1000), OTHER = sample(1000, 2);

/** A service with one name; `steps` are what was asked of it. */
class Service {
  stored: Uint8Array | undefined;
  readonly steps: string[] = [];

  put(changes: Partial<PutOnce> = {}): Promise<"stored" | "present"> {
    return putOnce({
      key: "k",
      body: bodyOf(BYTES),
      signal: never,
      look: () => {
        this.steps.push("look");
        return Promise.resolve(this.stored && { size: this.stored.length });
      },
      read: () => {
        this.steps.push("read");
        return Promise.resolve(streamOf(this.stored!));
      },
      send: () => {
        this.steps.push("send");
        this.stored = BYTES;
        return Promise.resolve();
      },
      withdraw: () => {
        this.steps.push("withdraw");
        this.stored = undefined;
        return Promise.resolve();
      },
      ...changes,
    });
  }
}

const fail = (code: ErrorCode) => new AppError(code, `made up: ${code}`);

Deno.test("looks, sends, looks", async () => {
  const service = new Service();
  assert.equal(await service.put(), "stored");
  assert.deepEqual(service.steps, ["look", "send", "look"]);
});

Deno.test("what is there whole is a success without sending; anything else is refused", async () => {
  const service = new Service();
  service.stored = BYTES;
  assert.equal(await service.put(), "present");
  assert.deepEqual(service.steps, ["look", "read"]);
  for (const other of [OTHER, sample(999), sample(1001), sample(0)]) {
    const stands = new Service();
    stands.stored = other;
    await failure(stands.put(), "already-exists", /"k" exists already with other content/);
    assert.equal(stands.stored, other);
    assert.ok(!stands.steps.includes("send"));
    // What has another length needs no reading.
    assert.equal(stands.steps.includes("read"), other.length === 1000);
  }
});

for (const code of ["transient", "already-exists"] as const) {
  Deno.test(`carried out and then ${code}: it is there, which is a success`, async () => {
    const service = new Service();
    const send = () => (service.stored = BYTES, Promise.reject(fail(code)));
    assert.equal(await service.put({ send }), "present");
  });

  Deno.test(`${code} because another was faster: its bytes stand`, async () => {
    const service = new Service();
    const send = () => (service.stored = OTHER, Promise.reject(fail(code)));
    await failure(service.put({ send }), "already-exists");
    assert.equal(service.stored, OTHER);
  });
}

Deno.test("not carried out: the error is what it was", async () => {
  for (const code of ["transient", "denied", "quota", "cancelled", "corrupt", "unknown"] as const) {
    const service = new Service();
    await failure(service.put({ send: () => Promise.reject(fail(code)) }), code, /made up/);
    assert.equal(service.stored, undefined);
  }
  const gone = new Service();
  await failure(gone.put({ send: () => Promise.reject(fail("already-exists")) }), "transient", /is gone/);
});

Deno.test("when nobody can look after a cut, the cut is the error", async () => {
  const service = new Service();
  let looks = 0;
  const look = () => looks++ === 0 ? Promise.resolve(undefined) : Promise.reject(fail("denied"));
  await failure(
    service.put({ look, send: () => Promise.reject(fail("transient")) }),
    "transient",
    /made up: transient/,
  );
});

Deno.test("what was not kept whole is withdrawn, what cannot be looked at is left", async () => {
  for (
    const [kept, sentence] of [[sample(999), /holds 999 bytes instead of 1000/], [
      undefined,
      /is not there/,
    ]] as const
  ) {
    const service = new Service();
    const send = () => Promise.resolve(void (service.stored = kept));
    await failure(service.put({ send }), "corrupt", sentence);
    assert.ok(service.steps.includes("withdraw"));
  }
  for (const code of ["transient", "cancelled"] as const) {
    const service = new Service();
    let looks = 0;
    const look = () => looks++ === 0 ? Promise.resolve(undefined) : Promise.reject(fail(code));
    await failure(service.put({ look }), code);
    assert.equal(service.stored, BYTES, "a success that could not be confirmed was taken back");
  }
  const stubborn = new Service();
  const send = () => Promise.resolve(void (stubborn.stored = sample(1)));
  await failure(stubborn.put({ send, withdraw: () => Promise.reject(fail("denied")) }), "corrupt");
});

Deno.test("create-only: no looking, no reading, one sending", async () => {
  const { look: _, read: __, ...blind } = { look: undefined, read: undefined };
  const service = new Service();
  const put = (send: () => Promise<void>) =>
    putOnce({ key: "k", body: bodyOf(BYTES), signal: never, send, ...blind });
  assert.equal(await put(() => Promise.resolve()), "stored");
  await failure(put(() => Promise.reject(fail("already-exists"))), "already-exists");
  await failure(put(() => Promise.reject(fail("transient"))), "transient");
  assert.deepEqual(service.steps, []);
});

Deno.test("a cancel during the look sends nothing", async () => {
  const service = new Service(), cancel = new AbortController();
  const look = () => (cancel.abort(), Promise.resolve(undefined));
  await failure(service.put({ signal: cancel.signal, look }), "cancelled");
  assert.deepEqual(service.steps, []);
});
