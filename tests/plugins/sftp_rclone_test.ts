/** The SFTP destination at a server of another make, which knows no hard links and whose rename replaces. */
import assert from "node:assert/strict";
import { keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { startChild } from "../servers/child.ts";
import { Box, BYTES, KEY, put } from "./sftp_box.ts";

Deno.test("rclone serve sftp: whole, never replacing, with a warning about its permissions", async () => {
  await using box = await Box.start();
  const { folder } = box.server;
  await using rclone = await startChild({
    program: "rclone",
    args: (port) => [
      ...["serve", "sftp", box.server.at(), "--addr", `127.0.0.1:${port}`, "--key", `${folder}/host_ed25519`],
      ...["--authorized-keys", `${folder}/authorized_keys`],
    ],
  });
  const { port } = rclone;
  // Its root is the folder that it serves.
  const opened = await box.open({ port, path: "/", knownHosts: box.server.knownHost(port) });
  await put(opened);
  box.holds();
  assert.deepEqual(box.names(), ["archive.age"]);
  await box.fails(put(opened, sample(7)), "already-exists", /exists already/);
  await put(opened);
  await put(opened, sample(0), "acme/empty");
  assert.deepEqual((await keysOf(opened, "")).sort(), [KEY, "acme/empty"]);
  const range = { start: 100_000, end: 4_000_001 };
  const got = new Uint8Array(await new Response(await opened.get(KEY, range, never)).arrayBuffer());
  assert.deepEqual(got, BYTES.slice(range.start, range.end));
  await opened.remove("acme/empty", never);
  assert.deepEqual(await keysOf(opened, ""), [KEY]);
  assert.equal(box.warnings.length, 1);
  assert.match(box.warnings[0]!, /^destination "box": other users of the server may be able to read/);
});
