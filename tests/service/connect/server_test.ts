import assert from "node:assert/strict";
import { type AccountDescription, type LocalService, sampleAccount, startService } from "../mod.ts";
import { type ConnectOptions, ConnectServer, published, ROUTE_NAMES } from "./mod.ts";
import { filled } from "../../stories/content.ts";

const SMALL: AccountDescription = {
  name: "Small",
  vaults: [
    {
      title: "First",
      items: [{ title: "one", files: [{ name: "f.txt", content: "made-up content" }] }, { title: "two" }],
    },
    { title: "Second", items: [{ title: "three" }, { title: "old", state: "archived" }] },
  ],
};

async function serving(
  account: AccountDescription,
  play: (connect: ConnectServer, service: LocalService) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  await using service = await startService(filled(account));
  await using connect = ConnectServer.start(service.account, options);
  await play(connect, service);
  await connect.requests.idle();
}

async function get(connect: ConnectServer, path: string, token: string | undefined = connect.accepted) {
  const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${connect.url}${path}`, { headers, redirect: "manual" });
  const text = await response.text();
  // deno-lint-ignore no-explicit-any -- Connect's JSON
  const json: any = /json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : undefined;
  return { status: response.status, json, text, headers: response.headers };
}

Deno.test("every answer about the sample account is as Connect describes it", async () => {
  await serving(sampleAccount(), async (connect) => {
    let asked = 0;
    const ok = async (path: string) => {
      asked++;
      const { status, json, text } = await get(connect, path);
      assert.equal(status, 200, path);
      return json ?? text;
    };
    assert.equal(await ok("/heartbeat"), ".");
    assert.equal((await ok("/health")).name, "1Password Connect API");
    let files = 0;
    for (const { id: vault, items: count } of await ok("/v1/vaults")) {
      await ok(`/v1/vaults/${vault}`);
      const items = await ok(`/v1/vaults/${vault}/items`);
      assert.equal(items.filter(({ state }: { state?: string }) => state === undefined).length, count);
      for (const { id: item } of items) {
        const full = await ok(`/v1/vaults/${vault}/items/${item}`);
        const own = `/v1/vaults/${vault}/items/${item}/files`;
        assert.deepEqual(await ok(own), full.files ?? []);
        for (const { id: file, size, content_path } of full.files ?? []) {
          assert.equal((await ok(`${own}/${file}`)).size, size);
          assert.equal(content_path, `${own}/${file}/content`);
          await ok(content_path);
          files++;
        }
      }
    }
    assert.equal(files, 23);
    assert.deepEqual(connect.problems, []);
    assert.equal(connect.checked, published ? asked : 0);
  });
});

Deno.test("every refusal is as Connect describes it: no token, a wrong one, out of scope, not there", async () => {
  await serving(SMALL, async (connect, service) => {
    const [first, second] = service.account.vaults;
    const [none, item] = ["x".repeat(26), first!.items[0]!];
    const file = item.file("f.txt").id;
    const paths = (vault: string, item: string, file: string) => [
      `/v1/vaults/${vault}`,
      `/v1/vaults/${vault}/items`,
      `/v1/vaults/${vault}/items/${item}`,
      `/v1/vaults/${vault}/items/${item}/files`,
      `/v1/vaults/${vault}/items/${item}/files/${file}`,
      `/v1/vaults/${vault}/items/${item}/files/${file}/content`,
    ];
    const refused = async (path: string, status: number, message: string, token?: string) => {
      const answer = await get(connect, path, token);
      assert.deepEqual([answer.status, answer.json], [status, { status, message }], path);
    };
    for (const path of ["/v1/vaults", ...paths(first!.id, item.id, file)]) {
      await refused(path, 401, "Invalid token signature", "made-up");
      const { status } = await fetch(connect.url + path).then(async (response) => {
        await response.body?.cancel();
        return response;
      });
      assert.equal(status, 401);
    }
    for (const path of paths(none, item.id, file)) await refused(path, 404, `vault ${none} not found`);
    for (const path of paths(first!.id, none, file).slice(2)) {
      await refused(path, 404, `item ${none} not found`);
    }
    for (const path of paths(first!.id, item.id, none).slice(4)) {
      await refused(path, 404, `file ${none} not found`);
    }
    connect.token({ vaults: [second!.id] });
    for (const path of paths(first!.id, item.id, file)) {
      await refused(path, 403, `vault ${first!.id} is not in scope`);
    }
    const { json } = await get(connect, "/v1/vaults");
    assert.deepEqual(json.map(({ id }: { id: string }) => id), [second!.id]);
    assert.deepEqual(connect.problems, []);
  });
});

Deno.test("what does not fit the description fails the test that asked for it", async () => {
  await using service = await startService(SMALL);
  const asked = ConnectServer.start(service.account);
  await get(asked, "/v1/users");
  await get(asked, "/v1/vaults");
  const broken = ConnectServer.start(service.account);
  broken.onRequest("vaults", () => {
    throw new Error("made-up trouble in a test's hook");
  });
  assert.equal((await get(broken, "/v1/vaults")).status, 500);
  await assert.rejects(broken[Symbol.asyncDispose](), /made-up trouble/);
  if (published) await assert.rejects(asked[Symbol.asyncDispose](), /GET \/v1\/users: is not described/);
  else await asked.close();
});

Deno.test("archived items: listed and readable, listed only, hidden", async () => {
  for (const archive of ["readable", "listed", "hidden"] as const) {
    await serving(SMALL, async (connect, service) => {
      const vault = service.account.vault("Second");
      const { json } = await get(connect, `/v1/vaults/${vault.id}/items`);
      const { status } = await get(connect, `/v1/vaults/${vault.id}/items/${vault.item("old").id}`);
      assert.deepEqual(
        [json.length, status],
        { readable: [2, 200], listed: [2, 404], hidden: [1, 404] }[archive],
      );
      assert.equal((await get(connect, `/v1/vaults/${vault.id}`)).json.items, 1);
    }, { archive });
  }
});

Deno.test("a server with an upstream answers from its copy, which it takes anew while 1Password is there", async () => {
  let there = true;
  await serving(SMALL, async (connect, service) => {
    const vault = service.account.vault("Second");
    const titles = async () => {
      const { json } = await get(connect, `/v1/vaults/${vault.id}/items`);
      return json.map(({ title }: { title: string }) => title);
    };
    vault.add({ title: "four" });
    assert.deepEqual(await titles(), ["three", "old"]);
    await get(connect, "/v1/vaults");
    assert.deepEqual(await titles(), ["three", "old", "four"]);
    there = false;
    const item = service.account.vault("First").item("one");
    const path = `/v1/vaults/${service.account.vault("First").id}/items/${item.id}`;
    const content = `${path}/files/${item.file("f.txt").id}/content`;
    item.serveFile("f.txt", 0);
    item.delete();
    vault.item("four").delete();
    await get(connect, "/v1/vaults");
    assert.deepEqual(await titles(), ["three", "old", "four"]);
    assert.equal((await get(connect, path)).json.title, "one");
    assert.equal((await get(connect, content)).text, "made-up content");
    there = true;
    await get(connect, "/v1/vaults");
    assert.deepEqual(await titles(), ["three", "old"]);
    assert.equal((await get(connect, path)).status, 404);
  }, { upstream: () => Promise.resolve(there) });
});

Deno.test("faults strike as often, as late and where they are told to", async () => {
  await serving(SMALL, async (connect, service) => {
    const [first, second] = service.account.vaults;
    const list = async (id: string) => (await get(connect, `/v1/vaults/${id}/items`)).status;
    const fault = connect.faults.status("items", 503, { after: 1, times: 2, id: second!.id });
    assert.deepEqual([await list(first!.id), await list(second!.id)], [200, 200]);
    assert.deepEqual([await list(second!.id), await list(first!.id), await list(second!.id)], [
      503,
      200,
      503,
    ]);
    assert.deepEqual([await list(second!.id), fault.strikes], [200, 2]);
    connect.faults.status("*", 500).remove();
    assert.equal(await list(first!.id), 200);
    connect.faults.html("items");
    connect.faults.redirect("vaults", "https://elsewhere.example/");
    assert.match((await get(connect, `/v1/vaults/${first!.id}/items`)).text, /^<!DOCTYPE html>/);
    const away = await get(connect, "/v1/vaults");
    assert.deepEqual([away.status, away.headers.get("location")], [302, "https://elsewhere.example/"]);
    connect.faults.clear();
    connect.faults.cut("items");
    await assert.rejects(list(first!.id), /error reading a body/);
    connect.faults.clear();
    connect.faults.cut("items", { announced: false });
    const part = await fetch(`${connect.url}/v1/vaults/${first!.id}/items`, {
      headers: { authorization: `Bearer ${connect.accepted}` },
    });
    assert.equal(part.headers.get("content-length"), null);
    assert.throws(JSON.parse.bind(JSON, await part.text()));
    assert.deepEqual(connect.problems, [], "an answer that is wrong on purpose is no problem");
  });
});

Deno.test("requests are counted by route, and how many at once", async () => {
  await serving(SMALL, async (connect) => {
    connect.faults.delay("vaults", 20);
    await Promise.all([1, 2, 3].map(() => get(connect, "/v1/vaults")));
    await get(connect, "/heartbeat");
    assert.deepEqual([connect.requests.count(), connect.requests.count("vaults")], [4, 3]);
    assert.equal(connect.requests.mostAtOnce, 3);
    assert.deepEqual(connect.requests.log.map(({ status }) => status), [200, 200, 200, 200]);
    await connect.requests.idle();
    assert.equal(connect.requests.open, 0);
    connect.requests.reset();
    assert.deepEqual([connect.requests.count(), connect.requests.mostAtOnce], [0, 0]);
    assert.equal(ROUTE_NAMES.length, 10);
  });
});
