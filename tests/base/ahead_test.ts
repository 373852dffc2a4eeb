import assert from "node:assert/strict";
import { ahead } from "../../src/base/ahead.ts";
import { AppError } from "../../src/base/errors.ts";

const forever = new AbortController().signal;

/** Work that ends when it is told to, and a record of what was begun and what is under way. */
class Workshop {
  readonly begun: number[] = [];
  readonly running = new Set<number>();
  readonly stopped: number[] = [];
  readonly #ends = new Map<number, { resolve(): void; reject(error: unknown): void }>();

  readonly work = async (input: number, signal: AbortSignal): Promise<string> => {
    this.begun.push(input);
    this.running.add(input);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ends.set(input, { resolve, reject });
    const stop = () => {
      this.stopped.push(input);
      // Takes its time to stop, as a request does.
      queueMicrotask(() => reject(new AppError("cancelled", "cancelled")));
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      await promise;
      return `result ${input}`;
    } finally {
      signal.removeEventListener("abort", stop);
      this.running.delete(input);
    }
  };

  end(...inputs: number[]): void {
    for (const input of inputs) this.#ends.get(input)!.resolve();
  }

  fail(input: number, error: unknown): void {
    this.#ends.get(input)!.reject(error);
  }
}

/** Lets everything run that can. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("results come in the order of the inputs, whichever work ends first", async () => {
  const shop = new Workshop();
  const results = ahead([1, 2, 3], shop.work, { signal: forever, most: 3 });
  const first = results.next();
  await turn();
  assert.deepEqual(shop.begun, [1, 2, 3]);
  shop.end(3, 2);
  await turn();
  shop.end(1);
  assert.deepEqual(await first, { done: false, value: "result 1" });
  assert.equal((await results.next()).value, "result 2");
  assert.equal((await results.next()).value, "result 3");
  assert.equal((await results.next()).done, true);
});

Deno.test("no more is begun than may be, and a result counts until the next one is asked for", async () => {
  const shop = new Workshop();
  const results = ahead([1, 2, 3, 4, 5], shop.work, { signal: forever, most: 2 });
  const first = results.next();
  await turn();
  assert.deepEqual(shop.begun, [1, 2]);
  shop.end(1, 2);
  await first;
  await turn();
  assert.deepEqual(shop.begun, [1, 2], "the first result is still in use");
  const second = results.next();
  await turn();
  assert.deepEqual(shop.begun, [1, 2, 3]);
  await second;
  await results.return(undefined);
  assert.equal(shop.running.size, 0);
});

Deno.test("one at a time is one after the other", async () => {
  const shop = new Workshop();
  const results = ahead([1, 2], shop.work, { signal: forever, most: 1 });
  const first = results.next();
  await turn();
  shop.end(1);
  await first;
  await turn();
  assert.deepEqual(shop.begun, [1]);
  await results.return(undefined);
});

Deno.test("weights together stay within the room; what is heavier goes alone", async () => {
  const shop = new Workshop();
  const inputs = [3, 4, 5, 50, 1];
  const results = ahead(inputs, shop.work, {
    signal: forever,
    most: 9,
    weight: (input) => input,
    room: 10,
  });
  const begunWith: number[][] = [];
  for (let at = 0; at < inputs.length; at++) {
    const next = results.next();
    await turn();
    begunWith.push([...shop.begun]);
    shop.end(inputs[at]!);
    await next;
  }
  assert.equal((await results.next()).done, true);
  assert.deepEqual(begunWith, [[3, 4], [3, 4, 5], [3, 4, 5], [3, 4, 5, 50], inputs]);
});

Deno.test("an error comes when its turn has come, and nothing is begun after it", async () => {
  const shop = new Workshop();
  const results = ahead([1, 2, 3, 4, 5], shop.work, { signal: forever, most: 3 });
  const first = results.next();
  await turn();
  shop.fail(2, new Error("the second"));
  await turn();
  shop.end(1);
  assert.equal((await first).value, "result 1");
  const second = results.next();
  await assert.rejects(second, { message: "the second" });
  assert.deepEqual(shop.begun, [1, 2, 3], "the error was known before the fourth could begin");
  assert.deepEqual(shop.stopped, [3]);
  assert.equal(shop.running.size, 0, "what was under way has ended");
  assert.equal((await results.next()).done, true);
});

Deno.test("of two errors the one whose turn comes first is thrown, and the other is nobody's", async () => {
  const shop = new Workshop();
  const results = ahead([1, 2], shop.work, { signal: forever, most: 2 });
  const first = results.next();
  await turn();
  shop.fail(2, new Error("the second"));
  await turn();
  shop.fail(1, new Error("the first"));
  // An error that nobody hears of would end this process.
  await assert.rejects(first, { message: "the first" });
  await turn();
});

Deno.test("work that throws before it waits is an error in its turn too", async () => {
  const work = (input: number): Promise<number> => {
    if (input === 2) throw new Error("at once");
    return Promise.resolve(input);
  };
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const one of ahead([1, 2, 3], work, { signal: forever, most: 3 })) seen.push(one);
  }, { message: "at once" });
  assert.deepEqual(seen, [1]);
});

Deno.test("a loop that is left stops what is under way, waits for it, and lets go of what nobody took", async () => {
  const shop = new Workshop();
  const discarded: string[] = [];
  const results = ahead([1, 2, 3, 4], shop.work, {
    signal: forever,
    most: 3,
    discard: (result) => {
      discarded.push(result);
      throw new Error("nobody minds");
    },
  });
  const seen: string[] = [];
  const loop = (async () => {
    for await (const one of results) {
      seen.push(one);
      break;
    }
  })();
  await turn();
  shop.end(1, 2);
  await loop;
  assert.deepEqual(seen, ["result 1"]);
  assert.deepEqual(discarded, ["result 2"], "the first was taken, the third never was");
  assert.deepEqual(shop.stopped, [3]);
  assert.equal(shop.running.size, 0);
});

Deno.test("an abort stops everything, and nothing is begun after it", async () => {
  const shop = new Workshop();
  const controller = new AbortController();
  const results = ahead([1, 2, 3], shop.work, { signal: controller.signal, most: 2 });
  const first = results.next();
  await turn();
  controller.abort();
  await assert.rejects(first, { code: "cancelled" });
  assert.deepEqual(shop.stopped, [1, 2]);
  assert.deepEqual(shop.begun, [1, 2]);
  assert.equal(shop.running.size, 0);
});

Deno.test("an abort between two results begins nothing more", async () => {
  const shop = new Workshop();
  const controller = new AbortController();
  const results = ahead([1, 2], shop.work, { signal: controller.signal, most: 1 });
  const first = results.next();
  await turn();
  shop.end(1);
  await first;
  controller.abort();
  await assert.rejects(results.next(), { code: "cancelled" });
  assert.deepEqual(shop.begun, [1]);
});

Deno.test("inputs are asked for as they are needed, and told when no more are", async () => {
  let given = 0;
  let told = false;
  function* inputs() {
    try {
      for (;;) yield ++given;
    } finally {
      told = true;
    }
  }
  const options = { signal: forever, most: 2 };
  for await (const one of ahead(inputs(), (input) => Promise.resolve(input), options)) if (one === 3) break;
  assert.ok(given <= 6, `${given} asked for`);
  assert.ok(told);
});
