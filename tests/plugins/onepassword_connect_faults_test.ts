/** A server, or something before it, that answers wrongly. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/base/errors.ts";
import { startService } from "../service/mod.ts";
import { CALLS, failure, FAULTY, never, openDoor, scene, walk } from "./onepassword_connect_door.ts";

/** Status, what it means for each call, and how often it is asked. */
const STATUSES: [number, Record<keyof typeof CALLS, ErrorCode>, tries: number][] = [
  [400, { vaults: "unknown", items: "unknown", content: "unknown" }, 1],
  [401, { vaults: "denied", items: "denied", content: "denied" }, 1],
  [404, { vaults: "unknown", items: "unknown", content: "unknown" }, 1],
  [408, { vaults: "transient", items: "transient", content: "transient" }, 3],
  [418, { vaults: "unknown", items: "unknown", content: "unknown" }, 1],
  [429, { vaults: "transient", items: "transient", content: "transient" }, 3],
  [500, { vaults: "transient", items: "transient", content: "transient" }, 3],
  [503, { vaults: "transient", items: "transient", content: "transient" }, 3],
];

for (const [status, codes, tries] of STATUSES) {
  Deno.test(`HTTP ${status} in place of each answer`, async (test) => {
    for (const [route, code] of Object.entries(codes) as [keyof typeof CALLS, ErrorCode][]) {
      await test.step(`${route}: ${code}`, () =>
        scene(FAULTY, async (it) => {
          it.connect.faults.status(route, status);
          const error = await failure(CALLS[route](it));
          assert.equal(error.code, code);
          // A vault that is shown and not there is asked for once more.
          const expected = route === "items" && status === 404 ? 2 : tries;
          assert.equal(it.connect.requests.count(route), expected);
        }));
    }
  });
}

Deno.test("403 for the list of vaults is a refusal of the token, tried once", async () => {
  await scene(FAULTY, async (it) => {
    it.connect.faults.status("vaults", 403);
    assert.equal((await failure(CALLS.vaults(it))).code, "denied");
    assert.equal(it.connect.requests.count(), 1);
  });
});

Deno.test("a refused token is refused for good: nothing more is asked, not even by others", async () => {
  await scene(FAULTY, async (it) => {
    const { connect } = it;
    connect.revokeToken();
    const first = await failure(CALLS.vaults(it));
    assert.equal(first.code, "denied");
    assert.match(first.message, /refused the token/);
    for (const call of Object.values(CALLS)) assert.equal(await failure(call(it)), first);
    assert.equal(connect.requests.count(), 1);
  });
});

Deno.test("a token that is revoked half-way ends the walk without more requests than were under way", async () => {
  const items = Array.from({ length: 50 }, (_, at) => ({ title: `${at}` }));
  await scene({ name: "A", vaults: [{ title: "V", items }] }, async ({ source, connect, vault }) => {
    connect.onRequest("item", () => {
      if (connect.requests.count("item") >= 10) connect.revokeToken();
    });
    const found: unknown[] = [];
    const error = await failure((async () => {
      for await (const one of source.items(vault, never)) found.push(one);
    })());
    assert.equal(error.code, "denied");
    assert.ok(found.length >= 4 && found.length <= 10, `${found.length}`);
    assert.ok(connect.requests.count("item") <= 16, `${connect.requests.count("item")}`);
  });
});

Deno.test("a moment's failure costs nothing: each route fails twice and then answers", async () => {
  await scene(FAULTY, async (it) => {
    const faults = (["vaults", "items", "item", "content"] as const)
      .map((route) => it.connect.faults.status(route, 503, { times: 2 }));
    await CALLS.vaults(it);
    assert.equal(await CALLS.content(it), "content");
    assert.deepEqual(faults.map(({ strikes }) => strikes), [2, 2, 2, 2]);
    assert.deepEqual(it.naps.slice(0, 2), [1000, 2000]);
  });
});

Deno.test("Retry-After lengthens the pause; one of an hour is not waited for", async () => {
  await scene(FAULTY, async (it) => {
    it.connect.faults.status("vaults", 429, { times: 1, headers: { "retry-after": "7" } });
    await CALLS.vaults(it);
    assert.deepEqual(it.naps, [7000]);
    it.connect.faults.status("vaults", 503, { headers: { "retry-after": "3600" } });
    const error = await failure(CALLS.vaults(it));
    assert.deepEqual([error.code, error.retryAfter], ["transient", 3600]);
    assert.equal(it.connect.requests.count("vaults"), 3);
  });
});

Deno.test("a redirect is never followed, so the token goes nowhere else", async () => {
  await using other = await startService({ name: "Other", vaults: [] });
  for (const status of [301, 302, 303, 307, 308]) {
    await scene(FAULTY, async (it) => {
      it.connect.faults.redirect("vaults", `${other.url}/v1/vaults?ticket=made-up`, { status });
      const error = await failure(CALLS.vaults(it));
      assert.equal(error.code, "misconfigured");
      assert.ok(error.message.includes(`redirects to "${other.url}"`), error.message);
      assert.doesNotMatch(error.message, /ticket/);
      assert.equal(it.connect.requests.count(), 1);
      // Nor to another place of the same server.
      it.connect.faults.clear();
      it.connect.faults.redirect("items", "/elsewhere", { status });
      assert.equal((await failure(CALLS.items(it))).code, "misconfigured");
    });
  }
  assert.equal(other.requests.total(), 0);
});

Deno.test("a web page in place of an answer is no answer, whatever its status", async (test) => {
  const expected: [status: number, code: ErrorCode][] = [
    [200, "transient"],
    [404, "unknown"],
    [403, "denied"],
    [502, "transient"],
  ];
  for (const [status, code] of expected) {
    await test.step(`${status}`, () =>
      scene(FAULTY, async (it) => {
        it.connect.faults.html("*", { status });
        for (const call of [CALLS.vaults, CALLS.items]) {
          const error = await failure(call(it));
          assert.equal(error.code, code);
          assert.doesNotMatch(error.message + error.hint, /DOCTYPE|Wi-Fi/);
        }
      }));
  }
});

Deno.test("a 404 that is not Connect's own does not say that an item is gone", async () => {
  await scene(FAULTY, async ({ source, connect, service, vault }) => {
    const { id } = service.account.vaults[0]!.items[1]!;
    const others = [
      () => connect.faults.html("item", { id, status: 404 }),
      () => connect.faults.garbage("item", "{}", { id, status: 404 }),
      () => connect.faults.garbage("item", "null", { id, status: 404 }),
      () => connect.faults.garbage("item", '{"status":200}', { id, status: 404 }),
      () => connect.faults.garbage("item", '{"status":404', { id, status: 404 }),
    ];
    for (const answering of others) {
      const fault = answering();
      const { items, shortfalls } = await walk(source, vault);
      assert.equal(items.length, 2);
      assert.deepEqual(shortfalls.map(({ shortfall, itemId, detail }) => [shortfall, itemId, detail]), [
        ["gap", id, "the answer is none that Connect gives (HTTP 404)"],
      ]);
      fault.remove();
    }
    connect.faults.status("item", 404, { id });
    const [own] = (await walk(source, vault)).shortfalls;
    assert.match(own!.detail, /lists it and does not have it/);
  });
});

Deno.test("answers of another type, or of none, are no answers", async () => {
  for (const type of ["text/plain", "application/xml", ""]) {
    await scene(FAULTY, async (it) => {
      it.connect.faults.contentType("vaults", type);
      assert.equal((await failure(CALLS.vaults(it))).code, "transient");
      it.connect.faults.contentType("items", type);
      assert.equal((await failure(CALLS.items(it))).code, "transient");
    });
  }
  await scene(FAULTY, async (it) => {
    it.connect.faults.contentType("*", "Application/JSON; charset=utf-8");
    assert.equal((await walk(it.source, it.vault)).items.length, 3);
  });
});

Deno.test("garbage is neither an empty list nor a shorter one", async () => {
  // Nothing at all, half a list, and what a careless reader takes for a list of nothing.
  const texts = ["", "[", '[{"id":"', "<html>", "\ufeff", "\u0000"];
  for (const text of texts) {
    await scene(FAULTY, async (it) => {
      it.connect.faults.garbage("vaults", text);
      assert.equal((await failure(CALLS.vaults(it))).code, "transient");
      it.connect.faults.garbage("items", text);
      assert.equal((await failure(CALLS.items(it))).code, "transient");
      assert.equal(it.connect.requests.count("items"), 3);
    });
  }
  for (const text of ["null", "{}", '"vaults"', "42", "[null]", "[{}]", '[{"id":""}]', '[{"id":42}]']) {
    await scene(FAULTY, async (it) => {
      it.connect.faults.garbage("vaults", text);
      assert.equal((await failure(CALLS.vaults(it))).code, "unknown");
      it.connect.faults.garbage("items", text);
      const error = await failure(CALLS.items(it));
      assert.equal(error.code, "unknown");
      assert.match(error.message, /a list of items of an unknown shape/);
      assert.equal(it.connect.requests.count("items"), 1, "not asked again: it would answer the same");
    });
  }
});

Deno.test("answers that break off are asked for again, and never taken for whole", async () => {
  await scene(FAULTY, async (it) => {
    const cuts = (["vaults", "items", "item"] as const)
      .map((route) => it.connect.faults.cut(route, { times: 1, share: 0.9 }));
    await CALLS.vaults(it);
    assert.equal((await walk(it.source, it.vault)).items.length, 3);
    assert.deepEqual(cuts.map(({ strikes }) => strikes), [1, 1, 1]);
    for (const announced of [true, false]) {
      it.connect.faults.clear();
      it.connect.faults.cut("items", { announced, share: 0.9 });
      assert.equal((await failure(CALLS.items(it))).code, "transient");
    }
  });
});

Deno.test("an answer shorter than announced is cut off, also where the runtime does not notice", async () => {
  await scene(FAULTY, async ({ connect, naps }) => {
    let shortened = 0;
    const { source } = await openDoor(connect, {
      async fetch(input, init) {
        const response = await fetch(input, init);
        const text = await response.text();
        if (shortened++ === 0) return new Response(text, response);
        // Still JSON: nothing else would tell.
        return new Response("[]", {
          headers: { ...Object.fromEntries(response.headers), "content-length": "99" },
        });
      },
    });
    const error = await failure(source.vaults(never));
    assert.equal(error.code, "transient");
    assert.match(error.message, /breaks off after 2 of 99 bytes/);
    assert.deepEqual([shortened, naps], [4, []]);
  });
});
