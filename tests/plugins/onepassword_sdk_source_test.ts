import assert from "node:assert/strict";
import { ByteLists } from "../../plugins/sources/onepassword_sdk/byte_lists.ts";
import type { Core } from "../../plugins/sources/onepassword_sdk/core.ts";
import { toItem, toVault } from "../../plugins/sources/onepassword_sdk/item.ts";
import { TOKEN_LIMITS } from "../../plugins/sources/onepassword_sdk/limits.ts";
import { Requests } from "../../plugins/sources/onepassword_sdk/requests.ts";
import { SdkSource } from "../../plugins/sources/onepassword_sdk/source.ts";
import { tokenMeanings } from "../../plugins/sources/onepassword_sdk/translate.ts";
import type { FailedRequest, Failure } from "../../plugins/sources/onepassword_sdk/protocol.ts";
import type { Item } from "../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../src/model/shortfall.ts";

const { signal } = new AbortController();

// What today's core does not say yet: it drops what it does not know, so these are told by themselves.

Deno.test("what nobody knows yet is kept as the SDK said it, and what is known beside it is understood", () => {
  const said = {
    id: "i",
    title: "t",
    category: "Hovercraft",
    vaultId: "v",
    websites: [{ url: "https://a.example", label: null, autofillBehavior: "OnTuesdays", extra: 1 }],
    tags: null,
    notes: null,
    version: 3,
    state: "active",
    sections: [{ id: "s", title: "", colour: "red" }],
    fields: [{
      id: "f",
      title: "ft",
      sectionId: "s",
      fieldType: "Hologram",
      value: "x",
      details: { type: "New", content: [1] },
    }, { id: "g", title: "gt", fieldType: "Text", value: null }],
    files: [{ attributes: { id: "a", name: "n", size: 0, mime: "x/y" }, sectionId: null, fieldId: null }],
    document: { id: "d", name: "dn", size: 7, scanned: true },
    passkeys: [{ secret: true }],
    createdAt: "2024-01-01T00:00:00Z",
    updatedAt: null,
  };
  const item = toItem("v", structuredClone(said));
  assert.deepEqual(item.raw, said);
  assert.deepEqual({ ...item, raw: undefined }, {
    id: "i",
    vaultId: "v",
    title: "t",
    category: "Hovercraft",
    state: "active",
    contents: "full",
    tags: [],
    urls: [{ url: "https://a.example", autofill: "OnTuesdays" }],
    notes: "",
    sections: [{ id: "s", title: "" }],
    fields: [
      {
        id: "f",
        title: "ft",
        kind: "Hologram",
        value: "x",
        sectionId: "s",
        details: { type: "New", content: [1] },
      },
      { id: "g", title: "gt", kind: "Text", value: "" },
    ],
    files: [
      { id: "a", name: "n", size: 0, role: "attachment" },
      { id: "d", name: "dn", size: 7, role: "document" },
    ],
    version: 3,
    createdAt: "2024-01-01T00:00:00Z",
    raw: undefined,
  });
});

Deno.test("a vault of an unknown kind, with what nobody knows yet, is a vault all the same", () => {
  const said = {
    id: "v",
    title: "t",
    vaultType: "shiny",
    activeItemCount: null,
    contentVersion: 4,
    icon: "x",
  };
  assert.deepEqual(toVault(structuredClone(said)), {
    id: "v",
    title: "t",
    description: "",
    kind: "unknown",
    raw: said,
  });
});

/** A source whose core says of each item whatever `items` holds, by id. */
function sourceOf(items: Record<string, unknown>): { source: SdkSource; calls: string[] } {
  const calls: string[] = [];
  const call = (name: string, parameters: { item_ids?: string[] }) => {
    calls.push(name);
    const overview = (id: string) => ({ id, title: id, category: "Login", state: "active" });
    if (name === "VaultsList") return [{ id: "v", title: "v", activeItemCount: Object.keys(items).length }];
    if (name === "ItemsList") return Object.keys(items).map(overview);
    return {
      individualResponses: parameters.item_ids!.map((id) => ({ content: items[id], error: null })).reverse(),
    };
  };
  const core = {
    call: (name: string, parameters: object) => Promise.resolve(call(name, parameters)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { source: new SdkSource(core as unknown as Core, undefined, TOKEN_LIMITS), calls };
}

async function walk(source: SdkSource): Promise<(Item | Shortfall)[]> {
  const [vault] = await source.vaults(signal);
  return await Array.fromAsync(source.items(vault!, signal));
}

Deno.test("an item of a shape that nobody understands is a gap, and its neighbours are saved", async () => {
  const good = (id: string) => ({ id, title: id, category: "Login" });
  const items = { a: good("a"), b: { id: 7, fields: "none" }, c: good("c"), d: null, e: "text" };
  const { source, calls } = sourceOf(items);
  const found = await walk(source);
  const ids = found.filter((one) => !isShortfall(one)).map((one) => (one as Item).id);
  assert.deepEqual(ids.sort(), ["a", "c"]);
  const gaps = found.filter(isShortfall);
  assert.deepEqual(gaps.map(({ shortfall, reason, itemId }) => [shortfall, reason, itemId]), [
    ["gap", "unreadable-item", "b"],
    ["gap", "unreadable-item", "d"],
    ["gap", "unreadable-item", "e"],
  ]);
  assert.match(gaps[0]!.detail, /unknown shape/);
  assert.match(gaps[1]!.detail, /leaves it out/);
  assert.equal(calls.filter((name) => name === "ItemsGetAll").length, 2 + 3);
});

Deno.test("an answer that brings another item than was asked for does not pass for it", async () => {
  const { source } = sourceOf({ a: { id: "z", title: "z", category: "Login" } });
  const [gap, ...others] = await walk(source);
  assert.deepEqual(others, []);
  assert.ok(isShortfall(gap!));
  assert.equal(gap.itemId, "a");
});

Deno.test("only what is wanted is asked for, and a short list is told all the same", async () => {
  const good = (id: string) => ({ id, title: id, category: "Login" });
  const { source, calls } = sourceOf({ a: good("a"), b: good("b") });
  const [vault] = await source.vaults(signal);
  const short = { ...vault!, activeItemCount: 3 };
  const found = await Array.fromAsync(source.items(short, signal, (id) => id === "b"));
  // The count is asked for again, and is two then.
  assert.deepEqual(found.map((one) => isShortfall(one) ? one.reason : one.id), ["b"]);
  assert.deepEqual(calls, ["VaultsList", "ItemsList", "VaultsList", "ItemsList", "ItemsGetAll"]);
  calls.length = 0;
  assert.deepEqual(await Array.fromAsync(source.items(vault!, signal, () => false)), []);
  assert.deepEqual(calls, ["ItemsList"]);
});

const failure = (message: string, ...requests: FailedRequest[]): Failure => ({
  text: JSON.stringify({ name: "ItemApi", message }),
  requests,
});
const NOT_FOUND = "item couldn't be found";
const FORBIDDEN =
  "you do not have the right permissions to perform this action: performing an item operation";
const DOWN = "internal server error";
const NETWORK = "authentication error: error sending request";

/** What a call fails with while others that overlap it fail otherwise. */
const FAILURES: [string, Failure, string][] = [
  ["its own 404", failure(NOT_FOUND, { status: 404 }), "not-found"],
  ["its own 403", failure(FORBIDDEN, { status: 403 }), "denied"],
  ["its own 404, another's 503 after it", failure(NOT_FOUND, { status: 404 }, { status: 503 }), "not-found"],
  ["its own 500, another's 404 after it", failure(DOWN, { status: 500 }, { status: 404 }), "transient"],
  [
    "its own 429, another's 404 after it",
    failure("performing an item operation: rate limit exceeded", { status: 429 }, { status: 404 }),
    "quota",
  ],
  ["a 403 whose request nobody saw", failure(FORBIDDEN), "denied"],
  [
    "another status",
    failure("unexpected status code in response: 502 Bad Gateway", { status: 404 }),
    "transient",
  ],
  [
    "a dead network that reads like a refusal",
    failure(NETWORK, { network: "connection refused" }),
    "transient",
  ],
  [
    "a dead network while the core signs in anew",
    failure("bad credentials: failed to authenticate", { status: 401 }, { signIn: true, network: "reset" }),
    "transient",
  ],
  [
    "a sign-in refused to all calls, seen before this one's 401",
    failure("failed to authenticate", { status: 401 }, { signIn: true, status: 401 }, { status: 401 }),
    "denied",
  ],
  ["something inside the core", failure("item is not in an active state"), "unknown"],
];

for (const [what, given, code] of FAILURES) {
  Deno.test(`${what} is ${code}`, () => {
    const error = tokenMeanings.call(given);
    assert.equal(error.code, code);
    assert.equal(error.origin, "source");
    assert.equal(tokenMeanings.endsSession(given), what.startsWith("a sign-in refused"));
  });
}

Deno.test("the pause that was asked for is that of the call's own failure", () => {
  const error = tokenMeanings.call(
    failure(DOWN, { status: 500, retryAfter: 7 }, { status: 503, retryAfter: 99 }),
  );
  assert.equal(error.retryAfter, 7);
});

Deno.test("an empty list that comes while a body is awaited is a list all the same", async () => {
  const lists = new ByteLists();
  const util = (await import("node:util")).default;
  const { TextDecoder: original } = util;
  try {
    lists.install();
    const decode = (text: string) => new util.TextDecoder().decode(new TextEncoder().encode(text));
    lists.expected++;
    assert.equal(lists.text(decode("[]")), "[]");
    assert.equal(lists.text(decode('[{"id":"a"}]')), '[{"id":"a"}]');
    assert.deepEqual([...lists.take(decode("[1,22,255]"))], [1, 22, 255]);
    assert.deepEqual([...lists.take(decode("[]"))], []);
    lists.expected--;
    assert.equal(decode("[1,2]"), "[1,2]");
  } finally {
    util.TextDecoder = original;
  }
});

Deno.test("once a sign-in was refused no further one is sent, and every call hears of it", async () => {
  const real = globalThis.fetch;
  const sent: string[] = [];
  const requests = new Requests();
  try {
    globalThis.fetch = (input) => {
      const { pathname } = new URL(String(input));
      sent.push(pathname);
      return Promise.resolve(new Response("{}", { status: pathname.endsWith("/auth/start") ? 401 : 200 }));
    };
    requests.install();
    const call = async (path: string) => {
      let failed: FailedRequest[] = [];
      await requests.watch(async () => {
        const response = await fetch(`https://service.example${path}`);
        await response.text();
        if (!response.ok) throw new Error("refused");
      }, (requests) => failed = requests).catch(() => {});
      return failed;
    };
    const refused = [{ signIn: true, status: 401 }];
    assert.deepEqual(await call("/api/v3/auth/start"), refused);
    assert.deepEqual(await call("/api/v3/auth/start"), refused);
    assert.deepEqual(await call("/api/v1/vaults"), []);
    assert.deepEqual(sent, ["/api/v3/auth/start", "/api/v1/vaults"]);
  } finally {
    globalThis.fetch = real;
  }
});
