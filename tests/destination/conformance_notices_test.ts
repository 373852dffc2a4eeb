/** The suite itself, tried: a destination with one defect fails the case that is about it. */
import assert from "node:assert/strict";
import { AppError, isAppError } from "../../src/base/errors.ts";
import { type ConformanceHarness, destinationCases, lacking } from "../../src/destination/conformance.ts";
import { bodyOf, never } from "../../src/destination/conformance/bench.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import type { Fetches } from "./reference.ts";
import { type Defects, startReference } from "./target_reference.ts";

interface Defect {
  /** What the destination does wrong. */
  what: string;
  /** The case that must notice it; others may as well. */
  noticedBy: RegExp;
  /** What that case says, so that it is noticed for what it is. */
  saying: RegExp;
  start(): Promise<ConformanceHarness & AsyncDisposable>;
}

/** `whole` with some of its methods replaced. */
function with_<T extends object>(whole: T, changes: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      if (name in changes) return changes[name as keyof T];
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

type Objects = Map<string, Uint8Array>;

/** The memory reference that does something else in some places. */
const inMemory =
  (does: (honest: MemoryDestination, objects: Objects) => Partial<Destination>, harness = {}) => () => {
    const objects: Objects = new Map();
    const open = () => {
      const honest = new MemoryDestination("memory", objects);
      return Promise.resolve(with_<Destination>(honest, does(honest, objects)));
    };
    return Promise.resolve({
      prefix: "x/",
      open,
      [Symbol.asyncDispose]: () => Promise.resolve(),
      ...harness,
    });
  };

const overHttp = (defects: Defects) => () => startReference(defects);
const door = (does: (door: Fetches) => Partial<Fetches>) =>
  overHttp({ door: (honest) => with_(honest, does(honest)) });
const destination = (does: (honest: Destination, door: Fetches) => Partial<Destination>) =>
  overHttp({ destination: (honest, door) => with_<Destination>(honest, does(honest, door)) });

/** All of a body, unchecked. */
async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** What the reference sends, without its looking before and after. */
function blindly(objects: Objects): Pick<Destination, "put"> {
  return {
    async put(key, body) {
      objects.set(key, await bytesOf(body.open()));
      return { key, size: body.size };
    },
  };
}

const DEFECTS: Defect[] = [
  {
    what: "a put replaces what is there",
    noticedBy: /^a second put of other bytes is refused/,
    saying: /a put of other bytes was not refused/,
    start: inMemory((honest, objects) => ({
      put(key, body, signal) {
        objects.delete(key);
        return honest.put(key, body, signal);
      },
    })),
  },
  {
    what: "the same bytes again are refused",
    noticedBy: /^the same bytes again are a success/,
    saying: /it exists$/,
    start: inMemory((honest, objects) => ({
      put(key, body, signal) {
        const error = new AppError("already-exists", 'destination "memory": it exists', {
          origin: "destination",
        });
        return objects.has(key) ? Promise.reject(error) : honest.put(key, body, signal);
      },
    })),
  },
  {
    what: "a body is believed",
    noticedBy: /^a body that is not what it says is refused/,
    saying: /a body that ends early was not refused/,
    start: inMemory((_, objects) => blindly(objects)),
  },
  {
    what: "half a body is visible while it comes",
    noticedBy: /^a body that fails midway leaves nothing/,
    saying: /stat afterwards was not refused/,
    start: inMemory((honest, objects) => ({
      async put(key, body, signal) {
        const before = objects.get(key);
        if (!before) objects.set(key, new Uint8Array(1));
        const whole = await new MemoryDestination("memory").put(key, body, signal);
        if (!before) objects.delete(key);
        return before ? whole : await honest.put(key, body, signal);
      },
    })),
  },
  {
    what: "two uploads share one hidden name",
    noticedBy: /^a put that is overtaken/,
    saying: /two puts of different bytes said/,
    start: inMemory((honest, objects) => ({
      async put(key, body, signal) {
        if (objects.has(key)) return await honest.put(key, body, signal);
        const hidden = `${key}.upload`;
        objects.set(hidden, new Uint8Array());
        for await (const bytes of body.open()) {
          const before = objects.get(hidden) ?? new Uint8Array();
          const both = new Uint8Array(before.length + bytes.length);
          both.set(before);
          both.set(bytes, before.length);
          objects.set(hidden, both);
        }
        objects.set(key, objects.get(hidden) ?? new Uint8Array());
        objects.delete(hidden);
        return { key, size: body.size };
      },
    })),
  },
  {
    what: "an abort is noticed only between two pieces",
    noticedBy: /^a put cancelled while its body hangs after 0 bytes/,
    saying: /the cancelled put did not end in time/,
    start: inMemory((honest) => ({
      async put(key, body, signal) {
        await bytesOf(body.open());
        return await honest.put(key, body, signal);
      },
    })),
  },
  {
    what: "a range is off by one",
    noticedBy: /^ranges give exactly their bytes/,
    saying: /bytes 0 to 1 came back as 0/,
    start: inMemory((honest) => ({
      get: (key, range, signal) =>
        honest.get(key, range?.end ? { start: range.start, end: range.end - 1 } : range, signal),
    })),
  },
  {
    what: "an empty object cannot be read in a range",
    noticedBy: /^nothing is asked for as well as anything/,
    saying: /no range$/,
    start: inMemory((honest, objects) => ({
      get(key, range, signal) {
        const error = new AppError("misconfigured", 'destination "memory": no range', {
          origin: "destination",
        });
        return range && objects.get(key)?.length === 0
          ? Promise.reject(error)
          : honest.get(key, range, signal);
      },
    })),
  },
  {
    what: "an absent key is corrupt",
    noticedBy: /^get and stat of an absent key are not found/,
    saying: /failed as "corrupt" instead of "not-found"/,
    start: inMemory((honest) => ({
      stat: (key, signal) =>
        honest.stat(key, signal).catch((error) => {
          throw new AppError("corrupt", error.message, { origin: "destination" });
        }),
    })),
  },
  {
    what: "list takes a prefix for a folder",
    noticedBy: /^list gives every key with its prefix/,
    saying: /list of "a\/t" gave/,
    start: inMemory((honest) => ({
      list: (prefix, signal) => honest.list(prefix.replace(/[^/]*$/, ""), signal),
    })),
  },
  {
    what: "list ends after one page",
    noticedBy: /^list goes on past one page/,
    saying: /list gave 1000 of 1100 keys/,
    start: inMemory((honest) => ({
      async *list(prefix, signal) {
        let count = 0;
        for await (const one of honest.list(prefix, signal)) if (count++ < 1000) yield one;
      },
    })),
  },
  {
    what: "a removed key that is not there is an error",
    noticedBy: /^a removed key is gone, and removing it again is fine/,
    saying: /there is no/,
    start: inMemory((honest) => ({
      async remove(key, signal) {
        await honest.stat(key, signal);
        await honest.remove(key, signal);
      },
    })),
  },
  {
    what: "discard removes the key",
    noticedBy: /^discard never touches a stored key/,
    saying: /there is no/,
    start: inMemory((honest) => ({ discard: (key, signal) => honest.remove(key, signal) })),
  },
  {
    what: "a lock that cannot be had is passed over in silence",
    noticedBy: /^a lock against removal holds/,
    saying: /asks for a lock was not refused/,
    start: inMemory((honest) => ({ put: (key, body, signal) => honest.put(key, body, signal) })),
  },
  {
    what: "an error is of no destination",
    noticedBy: /^hostile keys are refused/,
    saying: /an error of no destination/,
    start: inMemory((honest) => ({
      stat: (key, signal) =>
        honest.stat(key, signal).catch((error) => {
          throw new AppError(error.code, error.message);
        }),
    })),
  },
  {
    what: "the harness's prefix is used already",
    noticedBy: /^two openings see the same/,
    saying: /\/left" instead of ""/,
    start: async () => {
      const harness = await inMemory(() => ({}))();
      const opened = await harness.open();
      for (const { name } of destinationCases) {
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name)));
        const folder = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 12);
        await opened.put(`x/${folder}/left`, bodyOf(new Uint8Array(1)), never);
      }
      return harness;
    },
  },
  {
    what: "a cut download ends as if it were whole",
    noticedBy: /^a get that is cut for ever fails/,
    saying: /the whole came back as \d+ other bytes/,
    start: destination((honest) => ({
      async get(key, range, signal) {
        const reader = (await honest.get(key, range, signal)).getReader();
        return new ReadableStream({
          async pull(controller) {
            const next = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
            if (next.done) controller.close();
            else controller.enqueue(next.value);
          },
          cancel: (reason) => reader.cancel(reason),
        });
      },
    })),
  },
  {
    what: "a cut download is not gone on with",
    noticedBy: /^a get that is cut midway \(rst\)/,
    saying: /no second request/,
    start: door((honest) => ({
      fetch(url, init) {
        const { range } = Object.fromEntries(new Headers(init.headers));
        if (init.method !== "GET" || !range || range === "bytes=0-0" || range.startsWith("bytes=1048577-")) {
          return honest.fetch(url, init);
        }
        return Promise.reject(new AppError("unsupported", "no second request"));
      },
    })),
  },
  {
    what: "silence is waited through",
    noticedBy: /^silence ends a put/,
    saying: /stands still after 0 bytes did not end in time/,
    start: door((honest) => ({ fetch: (url, init) => honest.fetch(url, { ...init, silence: 60_000_000 }) })),
  },
  {
    what: "a slow line is taken for silence",
    noticedBy: /^a slow line is not silence/,
    saying: /nothing moved for 2 seconds/,
    start: door((honest) => ({ fetch: (url, init) => honest.fetch(url, { ...init, silence: 2_000 }) })),
  },
  {
    what: "an abort is not heeded by requests",
    noticedBy: /^every call that waits for the service ends/,
    saying: /a cancelled put did not end in time/,
    start: door((honest) => ({ fetch: (url, init) => honest.fetch(url, { ...init, signal: never }) })),
  },
  {
    what: "a list that is cut is what came so far",
    noticedBy: /^a list that is cut is whole or fails/,
    saying: /a list that was cut gave \d+ of 40 keys/,
    start: destination((honest) => ({
      async *list(prefix, signal) {
        try {
          yield* honest.list(prefix, signal);
        } catch { /* the defect */ }
      },
    })),
  },
  {
    what: "not now is final",
    noticedBy: /^not now for ever ends/,
    saying: /failed as "unknown" instead of "transient"/,
    start: destination((honest) => ({
      put: (key, body, signal) =>
        honest.put(key, body, signal).catch((error) => {
          throw new AppError("unknown", error.message, { origin: "destination" });
        }),
    })),
  },
  {
    what: "whatever fails is tried again",
    noticedBy: /^no room is told as such, tried once/,
    saying: /it was tried 4 times/,
    start: destination((honest) => ({
      async put(key, body, signal, options) {
        for (let tries = 0;; tries++) {
          try {
            return await honest.put(key, body, signal, options);
          } catch (error) {
            if (tries > 2 || !isAppError(error, "quota")) throw error;
          }
        }
      },
    })),
  },
  {
    what: "it exists is taken for success",
    noticedBy: /^stored, and the answer lost/,
    saying: /a put of other bytes was not refused/,
    start: destination((honest) => ({
      put: (key, body, signal, options) =>
        honest.put(key, body, signal, options).catch((error) => {
          if (!isAppError(error, "already-exists")) throw error;
          return { key, size: body.size };
        }),
    })),
  },
  {
    what: "what the service says it has kept is believed",
    noticedBy: /^an upload that is confirmed and was not kept whole/,
    saying: /stat tells 0 instead of 1 bytes/,
    start: overHttp({
      destination: (honest, door) =>
        with_<Destination>(honest, {
          async put(key, body, signal) {
            const ask = async (method: string, path: string, init = {}) => {
              const headers = { authorization: "Bearer made-up-token-0123456789", "if-none-match": "*" };
              const answer = await door.fetch(honest.base + path, { method, headers, signal, ...init });
              return await answer.text();
            };
            const id = await ask("POST", `/b/acme?upload=${encodeURIComponent(key)}`);
            await ask("PUT", `/u/${id}?part=0`, { body: await bytesOf(body.open()) });
            await ask("POST", `/u/${id}`);
            return { key, size: body.size };
          },
        }),
    }),
  },
  {
    what: "refused credentials read as an empty place",
    noticedBy: /^wrong credentials are denied/,
    saying: /a list was not refused/,
    start: destination((honest) => ({
      async *list(prefix, signal) {
        try {
          yield* honest.list(prefix, signal);
        } catch (error) {
          if (!isAppError(error, "denied")) throw error;
        }
      },
    })),
  },
  {
    what: "a missing bucket reads as a missing key",
    noticedBy: /^a place that is not there is misconfigured/,
    saying: /failed as "not-found" instead of "misconfigured"/,
    start: destination((honest) => ({
      stat: (key, signal) =>
        honest.stat(key, signal).catch((error) => {
          throw new AppError("not-found", error.message, { origin: "destination" });
        }),
    })),
  },
  {
    what: "a web page is an answer",
    noticedBy: /^a web page in the place of an answer/,
    saying: /a remove was not refused/,
    start: destination((honest) => ({
      remove: (key, signal) =>
        honest.remove(key, signal).catch((error) => {
          if (!/web page/.test(error.message)) throw error;
        }),
    })),
  },
  {
    what: "a redirect is followed",
    noticedBy: /^a redirect is not followed/,
    saying: /a get was not refused/,
    start: door(() => ({
      fetch: (url, { silence: _, body, ...init }) => {
        return fetch(
          url,
          { ...init, ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}) } as RequestInit,
        );
      },
    })),
  },
  {
    what: "an error holds the token",
    noticedBy: /^wrong credentials are denied/,
    saying: /a secret is in the error of a stat/,
    start: destination((honest) => ({
      stat: (key, signal) =>
        honest.stat(key, signal).catch((error) => {
          throw new AppError(error.code, `${error.message} (made-up-token-0123456789)`, {
            origin: "destination",
          });
        }),
    })),
  },
  {
    what: "what is not ours is listed",
    noticedBy: /^what is not ours is neither listed nor touched/,
    saying: /not a key.txt" instead of/,
    start: destination((honest) => ({
      async *list(prefix, signal) {
        yield* honest.list(prefix, signal);
        yield { key: `${prefix}not a key.txt`, size: 3 };
      },
    })),
  },
];

for (const { what, noticedBy, saying, start } of DEFECTS) {
  Deno.test({
    name: `the suite notices: ${what}`,
    // A defect may leave anything behind; what is judged is the suite.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const about = destinationCases.filter(({ name }) => noticedBy.test(name));
      assert.equal(about.length, 1, `${about.length} cases are called ${noticedBy}`);
      const [{ needs, run }] = about as [typeof about[number]];
      await using harness = await start();
      {
        await using opened = await harness.open();
        assert.deepEqual(lacking(needs, harness, opened), []);
      }
      const error = await run(harness).then(() => undefined, (error: unknown) => error);
      assert.ok(error instanceof Error, `"${about[0]!.name}" passes`);
      assert.match(error.message, saying);
    },
  });
}
