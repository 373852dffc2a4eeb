import assert from "node:assert/strict";
import { Core } from "../../plugins/sources/onepassword_sdk/core.ts";
import type { Answer, Call, CoreConfig, Start } from "../../plugins/sources/onepassword_sdk/protocol.ts";
import { tokenMeanings } from "../../plugins/sources/onepassword_sdk/translate.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { isAppError } from "../../src/base/errors.ts";
import { story } from "../stories/harness.ts";

const NONSENSE = "<html>Please accept the terms of this network</html>";

/** What a run comes to whose every answer on this route is nonsense. */
const CODES = {
  "auth/start": 13,
  "auth/exchange": 13,
  "auth/confirm": 13,
  "auth/complete": 13,
  "account/keysets": 1,
  "vaults/list": 1,
  "items/overviews": 1,
  "items/batch": 1,
  "item/get": 3,
  "file/read": 3,
} as const;

for (const [route, code] of Object.entries(CODES) as [keyof typeof CODES, number][]) {
  story(`answers to ${route} that make no sense end in an error and never hang`, {}, async (story) => {
    story.job.source.timeout = 2;
    story.service.faults.status(route, 200, { body: NONSENSE });
    const start = performance.now();
    const { err } = await story.runs(code, "backup");
    assert.ok(performance.now() - start < 15_000);
    assert.doesNotMatch(err, /<html>/);
    assert.equal(story.stored().length > 0, code === 3);
    assert.ok(story.service.requests.count("auth/start") <= 2);
  });
}

Deno.test("a core that panics fails everything that waits for it, and the next call begins anew", async () => {
  const real = globalThis.Worker;
  const workers: PanickingWorker[] = [];
  class PanickingWorker extends FakeWorker {
    constructor() {
      super();
      workers.push(this);
    }
    override answer(call: Call): Answer | undefined {
      if (call.name === "SignIn") return { id: call.id, ok: "null" };
      if (call.name === "Panic") return { fatal: "RuntimeError: unreachable" };
      if (call.name === "Wait") return undefined;
      return { id: call.id, ok: "[]" };
    }
  }
  globalThis.Worker = PanickingWorker as unknown as typeof Worker;
  try {
    const start = { config: {} as CoreConfig, stallMs: 1000 };
    await using core = new Core({ start, meanings: tokenMeanings, clock: denoWorld().clock });
    const { signal } = new AbortController();
    await core.signIn(signal);
    const failures = [core.call("Wait", {}, signal), core.call("Panic", {}, signal)].map((call) =>
      call.then(() => assert.fail("it was answered"), (error) => error)
    );
    for (const error of await Promise.all(failures)) {
      assert.ok(isAppError(error, "unknown"));
      assert.equal(error.message, "1Password's SDK ended unexpectedly: RuntimeError: unreachable");
      assert.equal(error.origin, "source");
    }
    assert.deepEqual(await core.call("VaultsList", {}, signal), []);
    assert.deepEqual(workers.map(({ terminated }) => terminated), [true, false]);
  } finally {
    globalThis.Worker = real;
  }
});

Deno.test("the worker tells what nobody caught, for a panic leaves its call unanswered", async () => {
  const worker = new Worker(
    new URL("../../plugins/sources/onepassword_sdk/core_worker.ts", import.meta.url),
    { type: "module" },
  );
  try {
    const told = new Promise<Answer>((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.onerror = (event) => event.preventDefault();
    worker.postMessage(null); // no message of the protocol
    const answer = await told;
    assert.ok("fatal" in answer);
    assert.match(answer.fatal, /null/);
  } finally {
    worker.terminate();
  }
});

/** A worker without a thread. */
class FakeWorker {
  onmessage: ((event: { data: Answer }) => void) | undefined;
  onerror: unknown;
  terminated = false;

  postMessage(message: Start | Call): void {
    if ("config" in message) return;
    queueMicrotask(() => {
      const answer = this.answer(message);
      if (answer && !this.terminated) this.onmessage?.({ data: answer });
    });
  }

  answer(_call: Call): Answer | undefined {
    return undefined;
  }

  terminate(): void {
    this.terminated = true;
  }
}
