/** The way to the server: an authority of one's own, a proxy, ranges, and other clients that see what we see. */
import assert from "node:assert/strict";
import { createClient } from "webdav";
import { makeCertificates } from "../binary/certificates.ts";
import { startProxy } from "../binary/proxy.ts";
import { missing } from "../servers/child.ts";
import { HttpFaults } from "../servers/http_faults.ts";
import { Apache } from "../servers/webdav/apache.ts";
import { CarelessServer } from "../servers/webdav/careless.ts";
import * as shared from "./webdav_place.ts";

const { Answers, comesBack, fails, keysOf, KEY, multistatus, never, NO_APACHE, Openings } = shared;
const { PASSWORD, put, response, sample, SMALL, USER } = shared;

Deno.test({
  name: "webdav: https by an authority of one's own, through a proxy, and by no other authority",
  ignore: NO_APACHE !== undefined || await missing("openssl", "version") !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-webdav-" });
    const { authority, server } = await makeCertificates(folder, "dav.acme.test");
    await using apache = await Apache.start({ tls: server, auth: "basic" });
    await using proxy = startProxy(apache.port);
    await using openings = new Openings();
    {
      const destination = await openings.open({ url: apache.url(), ca: authority });
      await put(destination);
      await comesBack(destination);
      assert.ok((await Deno.stat(`${apache.folder}/${KEY}`)).isFile);
    }
    const url = "https://dav.acme.test/dav/my%20backups/";
    const destination = await openings.open({ url, ca: authority, proxy: proxy.url });
    await put(destination, SMALL, "other");
    assert.deepEqual((await keysOf(destination, "")).sort(), [KEY, "other"]);
    assert.deepEqual([...new Set(proxy.asked)], ["dav.acme.test:443"]);
    await fails(put(await openings.open({ url: apache.url() })), "misconfigured", /nobody trusted vouches/);
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "webdav: rclone, curl and the npm client store and read the same as we do",
  ignore: NO_APACHE !== undefined,
  async fn() {
    await using apache = await Apache.start({ auth: "basic" });
    await using openings = new Openings();
    const destination = await openings.open({ url: apache.url() });
    const bytes = sample(1_000_001, 3);
    await put(destination, bytes);
    await put(destination, SMALL, "acme/HOW-TO-OPEN.txt");

    const env = { RCLONE_CONFIG: "", ...remote(apache.url()) };
    assert.equal((await run("rclone", ["cat", `dav:${KEY}`], { ...env })).toHex(), bytes.toHex());
    const listed = new TextDecoder().decode(
      await run("rclone", ["lsf", "-R", "--format", "sp", "dav:"], env),
    );
    assert.deepEqual(listed.trim().split("\n").filter((one) => !one.endsWith("/")).sort(), [
      `1000001;${KEY}`,
      "100000;acme/HOW-TO-OPEN.txt",
    ]);
    await Deno.writeFile(`${apache.scratch}/theirs`, SMALL);
    await run("rclone", ["copyto", `${apache.scratch}/theirs`, "dav:acme/by-rclone"], env);
    await comesBack(destination, SMALL, "acme/by-rclone");
    await fails(put(destination, bytes, "acme/by-rclone"), "already-exists");

    // curl takes the password from a file, so that no list of processes shows it.
    await Deno.writeTextFile(
      `${apache.scratch}/curl`,
      `user = "${USER}:${PASSWORD.replace(/["\\]/g, "\\$&")}"\n`,
    );
    const curl = ["-sf", "-K", `${apache.scratch}/curl`];
    assert.equal((await run("curl", [...curl, `${apache.url()}${KEY}`])).toHex(), bytes.toHex());
    await run("curl", [...curl, "-T", `${apache.scratch}/theirs`, `${apache.url()}acme/by-curl`]);

    const client = createClient(apache.url(), { username: USER, password: PASSWORD });
    const seen = await client.getDirectoryContents("/acme") as { basename: string; size: number }[];
    const ours: string[] = [];
    for await (const { key, size } of destination.list("", never)) ours.push(`${key} ${size}`);
    assert.deepEqual(seen.map(({ basename, size }) => `acme/${basename} ${size}`).sort(), ours.sort());
    assert.equal(ours.length, 4);
    await destination.remove("acme/by-curl", never);
    assert.equal(await client.exists("/acme/by-curl"), false);
    assert.equal(await client.exists("/acme/by-rclone"), true);
  },
});

Deno.test("webdav: a file that changes while it is read is not put together of two", async () => {
  let version = 1;
  const bytes = sample(3_000_000);
  await using server = new Answers(({ method, path }) => {
    if (method === "PROPFIND") {
      return new Response(multistatus(response(path, bytes.length)), { status: 207 });
    }
    const headers = { etag: `"v${version++}"`, "content-length": String(bytes.length) };
    let pulled = 0;
    const half = new ReadableStream({
      pull(controller) {
        if (pulled++ < 15) controller.enqueue(bytes.subarray((pulled - 1) * 100_000, pulled * 100_000));
        else controller.error(new Error("cut on purpose"));
      },
    });
    return new Response(half, { headers });
  });
  await using openings = new Openings();
  const destination = await openings.open({ url: `${server.origin}/dav/`, auth: "basic" });
  const got = destination.get("file", undefined, never).then((stream) => new Response(stream).bytes());
  await fails(got, "corrupt", /was changed while it was read/);
  const [first, second] = server.asked.filter(({ method }) => method === "GET");
  assert.equal(first!.headers.get("range"), null);
  assert.equal(second!.headers.get("if-range"), '"v1"');
});

Deno.test("webdav: what comes in the place of a file is not taken for it", async () => {
  let answer = () => new Response("");
  await using server = new Answers(({ method, path }) =>
    method === "PROPFIND" ? new Response(multistatus(response(path, 10)), { status: 207 }) : answer()
  );
  await using openings = new Openings();
  const destination = await openings.open({ url: `${server.origin}/dav/`, auth: "basic" });
  const read = async () => new Response(await destination.get("file", undefined, never)).text();
  const page = "<!doctype html><title>Welcome</title>";
  const html = { "content-type": "text/html" };
  answer = () => new Response(page, { headers: html });
  await fails(read(), "transient", /came as \d+ bytes instead of 10/);
  answer = () => new Response(new Blob([page]).stream(), { headers: html });
  await fails(read(), "transient", /a web page/);
  answer = () => new Response("12345", { status: 206, headers: { "content-range": "bytes 0-4/5" } });
  await fails(read(), "transient", /came as a part of 5 bytes instead of 10/);
  answer = () => new Response("1234567890", { status: 206 });
  await fails(read(), "transient", /without saying which bytes/);
  answer = () => new Response(null, { status: 404 });
  await fails(read(), "transient", /removed or replaced a moment ago/);
  answer = () => new Response(null, { status: 403 });
  await fails(read(), "denied", /do not allow/);
});

Deno.test("webdav: a range from a server that knows none is cut out of the whole", async () => {
  await using server = CarelessServer.start(USER, PASSWORD);
  await using faults = await HttpFaults.start(server.port);
  await using openings = new Openings();
  const destination = await openings.open({ url: `http://127.0.0.1:${faults.port}/dav/` });
  await put(destination);
  for (const [start, end] of [[0, 1], [99_999, 100_000], [1, 99_999], [50_000, undefined]] as const) {
    const range = { start, ...(end === undefined ? {} : { end }) };
    const got = await new Response(await destination.get(KEY, range, never)).bytes();
    assert.equal(got.toHex(), SMALL.slice(start, end).toHex());
  }
  assert.ok(faults.asked.some(({ headers }) => headers.range === "bytes=1-99998"));
});

/** The remote `dav` of rclone; the password is written in a way of its own, which is no secret. */
function remote(url: string): Record<string, string> {
  const { stdout } = new Deno.Command("rclone", { args: ["obscure", PASSWORD] }).outputSync();
  return {
    RCLONE_CONFIG_DAV_TYPE: "webdav",
    RCLONE_CONFIG_DAV_URL: url,
    RCLONE_CONFIG_DAV_VENDOR: "other",
    RCLONE_CONFIG_DAV_USER: USER,
    RCLONE_CONFIG_DAV_PASS: new TextDecoder().decode(stdout).trim(),
  };
}

async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  assert.ok(success, `${program}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}
