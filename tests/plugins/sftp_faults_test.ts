/** The SFTP destination when the server, its disk or the way there fails. */
import assert from "node:assert/strict";
import { bodyOf, keysOf, never, sample, within } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import { retry } from "../../src/base/retry.ts";
import { Scratch } from "../base/scratch.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { asFerry, FERRY } from "../servers/openssh/other_user.ts";
import { Box, BYTES, getsIn, KEY, MIB, put, stock } from "./sftp_box.ts";

/** A box whose folder is a file system of its own. */
async function boxOn(options: string): Promise<Box> {
  const box = await Box.start();
  assert.equal(Deno.uid(), 0, "this test mounts a tmpfs: it needs root on Linux");
  await stock("mount", "-t", "tmpfs", "-o", options, "tmpfs", box.server.at());
  return box;
}

const unmount = (box: Box) => stock("umount", "-l", box.server.at());

Deno.test("a full disk is told as such, and the next put finds room", async () => {
  await using box = await boxOn("size=8m");
  try {
    const opened = await box.open(), large = sample(9 * MIB);
    await box.fails(put(opened, large), "quota", /cannot write ".*": the server's disk has no space left/);
    assert.deepEqual(box.names(), []);
    await put(opened);
    assert.deepEqual(box.names(), ["archive.age"]);
    await stock("mount", "-o", "remount,nr_inodes=3", box.server.at());
    await box.fails(
      put(opened, sample(1), "acme/one-too-many"),
      "quota",
      /the server's disk is full of files/,
    );
    await box.fails(put(opened, sample(1), "another/x"), "quota", /cannot make the folder/);
  } finally {
    await unmount(box);
  }
});

Deno.test("a disk that is mounted read-only, and one that is not mounted", async () => {
  await using box = await boxOn("size=8m");
  try {
    const opened = await box.open();
    await put(opened);
    await stock("mount", "-o", "remount,ro", box.server.at());
    await box.fails(
      put(opened, sample(1), "acme/x"),
      "denied",
      /cannot create ".*": the server's file system is read-only/,
    );
    await box.fails(put(opened, sample(1), "new/x"), "denied", /cannot make the folder/);
    await box.fails(
      opened.remove(KEY, never),
      "denied",
      /cannot remove ".*": the server's file system is read-only/,
    );
    assert.deepEqual(await keysOf(opened, ""), [KEY]);
    await put(opened); // it is there already
  } finally {
    await unmount(box);
  }
  await Deno.remove(box.server.at());
  const opened = await box.open();
  for (const call of [keysOf(opened, ""), opened.stat(KEY, never), put(opened), opened.remove(KEY, never)]) {
    await box.fails(call, "misconfigured", /"\S+\/srv" does not exist on the server/, /mount what it is on/);
  }
});

Deno.test("a user without rights there is denied, and sees no empty place", async () => {
  await using scratch = await Scratch.make();
  await using box = await Box.start(await asFerry(scratch.path));
  const { server } = box, opened = await box.open();
  await box.fails(put(opened), "denied", /cannot make the folder "\S+\/acme": permission denied/);
  await Deno.mkdir(server.at("acme"), { mode: 0o755 });
  await Deno.writeFile(server.at(KEY), BYTES, { mode: 0o600 });
  await box.fails(put(opened, BYTES, "acme/x"), "denied", /cannot create "\S+": permission denied/);
  await box.fails(opened.get(KEY, undefined, never), "denied", /cannot open "\S+": permission denied/);
  await box.fails(opened.remove(KEY, never), "denied", /cannot remove "\S+": permission denied/);
  await Deno.chmod(server.at("acme"), 0o700);
  await box.fails(opened.stat(KEY, never), "denied", /permission denied/);
  await box.fails(keysOf(opened, ""), "denied", /cannot list "\S+\/acme": permission denied/);
  await Deno.chown(server.at("acme"), FERRY.uid, FERRY.uid);
  await Deno.remove(server.at(KEY));
  await put(opened);
  box.holds();
});

Deno.test("the next call connects anew after the connection was lost", async () => {
  await using box = await Box.start();
  await using proxy = await FaultProxy.start(box.server.port);
  const opened = await box.open({ port: proxy.port, knownHosts: box.server.knownHost(proxy.port) });
  await put(opened);
  assert.equal(proxy.connections, 1);
  await opened.stat(KEY, never);
  assert.equal(proxy.connections, 1, "one connection does for all");
  // The server's side of it ends, as when it is restarted.
  await stock("pkill", "-P", `${await listener(box)}`);
  for (let tries = 0;; tries++) {
    const found = await opened.stat(KEY, never).catch((error) => error);
    if (found.size === BYTES.length) break;
    assert.equal(found.code, "transient", found.message);
    assert.ok(tries < 20);
  }
  assert.equal(proxy.connections, 2);
});

/** The process of the sshd that accepts connections. */
async function listener({ server }: Box): Promise<number> {
  const pids = await stock("pgrep", "-f", `sshd -D -e -f ${server.folder}/sshd_config`);
  return Number(pids.trim().split("\n")[0]);
}

const CUT = "a put that was cut leaves a hidden file, which the next one of the same opening removes";

// The library does not let go of the decipher of a packet that was cut off.
Deno.test(CUT, { sanitizeResources: false }, async () => {
  await using box = await Box.start();
  await using proxy = await FaultProxy.start(box.server.port);
  const opened = await box.open({ port: proxy.port, knownHosts: box.server.knownHost(proxy.port) });
  {
    await using _ = proxy.strike({ kind: "cut", how: "rst", way: "up", after: 2 * MIB, connections: 1 });
    await box.fails(put(opened), "transient", /broke off|lost/);
  }
  assert.match(box.names().join(), /^\.archive\.age\.[0-9a-f]{16}\.partial$/);
  assert.deepEqual(await keysOf(await box.open(), ""), []);
  // The strike ends every connection of its time, the one that looked whether it was stored among them.
  const clock = hurried(20);
  await retry(() => put(opened, sample(10), "acme/other"), { clock, signal: never });
  assert.deepEqual(box.names(), ["other"]);
});

Deno.test("a cancelled put removes its hidden file at once", async () => {
  await using box = await Box.start();
  const opened = await box.open(), cancel = new AbortController();
  const reached = Promise.withResolvers<void>();
  const body = bodyOf(BYTES, 3 * MIB, () => (reached.resolve(), new Promise(() => {})));
  const put = opened.put(KEY, body, cancel.signal);
  put.catch(() => {});
  await reached.promise;
  assert.match(box.names().join(), /^\.archive\.age\.[0-9a-f]{16}\.partial$/);
  cancel.abort();
  await box.fails(within(put, "the cancelled put"), "cancelled", /cancelled/);
  assert.deepEqual(box.names(), []);
});

Deno.test("what is no SFTP server", async (test) => {
  await test.step("nobody listens", async () => {
    await using box = await Box.start();
    await using proxy = await FaultProxy.start(1);
    const port = proxy.port;
    await proxy[Symbol.asyncDispose]().catch(() => {});
    await box.fails(
      getsIn(await box.open({ port })),
      "transient",
      /cannot reach "127\.0\.0\.1:\d+": connection refused/,
    );
    await box.fails(
      getsIn(await box.open({ host: "nas.invalid" })),
      "transient",
      /the address of "nas\.invalid:\d+" cannot be found/,
    );
  });
  await test.step("a web server", async () => {
    await using box = await Box.start();
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response("hello"),
    );
    await box.fails(
      getsIn(await box.open({ port: server.addr.port })),
      "misconfigured",
      /does not speak SSH/,
      /"port"/,
    );
    await server.shutdown();
  });
  await test.step("SSH without SFTP", async () => {
    await using box = await Box.start({ subsystem: "/bin/false" });
    await box.fails(getsIn(await box.open()), "misconfigured", /gives no SFTP/, /Subsystem sftp/);
  });
  await test.step("a login script that prints something", async () => {
    await using box = await Box.start({ subsystem: "echo Welcome to this machine, dear friend; exec cat" });
    await box.fails(getsIn(await box.open()), "misconfigured", /answers in something else than SFTP/);
  });
  await test.step("SSH of another age", async () => {
    await using box = await Box.start({ config: ["KexAlgorithms diffie-hellman-group14-sha1"] });
    await box.fails(getsIn(await box.open()), "misconfigured", /find no common key exchange algorithm/);
  });
});

Deno.test({
  name: "every cipher and key exchange that OpenSSH and we have in common, with new keys in the middle",
  // The library leaves the last cipher of old keys to the garbage collector.
  sanitizeResources: false,
  fn: everyWay,
});

async function everyWay(test: Deno.TestContext): Promise<void> {
  const ways = [
    ...[
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
      "aes128-ctr",
      "aes256-ctr",
      "chacha20-poly1305@openssh.com",
    ]
      .map((cipher) => `Ciphers ${cipher}`),
    ...[
      "curve25519-sha256",
      "ecdh-sha2-nistp256",
      "diffie-hellman-group16-sha512",
      "diffie-hellman-group-exchange-sha256",
    ]
      .map((kex) => `KexAlgorithms ${kex}`),
    "MACs hmac-sha2-512",
  ];
  for (const way of ways) {
    await test.step(way, async () => {
      await using box = await Box.start({ config: [way, "RekeyLimit 1M"] });
      const opened = await box.open({}, { clock: hurried(1) });
      await put(opened);
      box.holds();
      await put(opened); // reads it back
    });
  }
}
