/** What the SFTP destination stores, as the server's own file system and other programs see it. */
import assert from "node:assert/strict";
import { bodyOf, keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { partialName } from "../../src/destination/keys.ts";
import { SFTP_SERVER } from "../servers/openssh/server.ts";
import { Box, BYTES, KEY, put, stock } from "./sftp_box.ts";

Deno.test("files and folders are for their owner alone, and no hidden name is left", async () => {
  await using box = await Box.start();
  await put(await box.open(), BYTES, "acme/deep/er/archive.age");
  box.holds(BYTES, "acme/deep/er/archive.age");
  assert.deepEqual(box.names("acme/deep/er"), ["archive.age"]);
  const mode = (name: string) => Deno.statSync(box.server.at(name)).mode! & 0o777;
  assert.equal(mode("acme/deep/er/archive.age"), 0o600);
  for (const folder of ["acme", "acme/deep", "acme/deep/er"]) assert.equal(mode(folder), 0o700, folder);
  assert.equal(Deno.statSync(box.server.at("acme/deep/er/archive.age")).nlink, 1);
  assert.deepEqual(box.warnings, []);
});

Deno.test("a folder with a slash at its end, and one that begins where the server does", async () => {
  await using box = await Box.start();
  await put(await box.open({ path: `${box.server.at()}/` }));
  box.holds();
  await using inside = await Box.start({ subsystem: `internal-sftp -d ${box.server.folder}` });
  const opened = await inside.open({ path: "srv" });
  assert.deepEqual(await keysOf(opened, ""), [KEY]);
  await put(opened, BYTES, "acme/relative");
  box.holds(BYTES, "acme/relative");
  await inside.fails(
    put(await inside.open({ path: "sr/v" })),
    "misconfigured",
    /"sr\/v" does not exist on the server/,
  );
});

Deno.test("links and other odd things are none of ours, and lead nowhere", async (test) => {
  await using box = await Box.start();
  const { server } = box, opened = await box.open();
  await Deno.mkdir(`${server.folder}/elsewhere`);
  await Deno.writeTextFile(`${server.folder}/elsewhere/secret`, "not ours");
  await put(opened);
  await Deno.symlink(`${server.folder}/elsewhere`, server.at("linked"));
  await Deno.symlink(`${server.folder}/elsewhere/secret`, server.at("acme/link"));
  await Deno.symlink("/nonexistent", server.at("acme/dangling"));
  await stock("mkfifo", server.at("acme/fifo"));
  await Deno.mkdir(server.at("acme/folder"));

  await test.step("they are not listed", async () => {
    assert.deepEqual(await keysOf(opened, ""), [KEY]);
  });

  await test.step("they are not read, replaced or removed", async () => {
    for (const name of ["link", "dangling", "fifo", "folder"]) {
      const key = `acme/${name}`;
      await box.fails(opened.stat(key, never), "corrupt", /is no regular file/);
      await box.fails(opened.get(key, undefined, never), "corrupt", /is no regular file/);
      await box.fails(opened.remove(key, never), "corrupt", /is no regular file/);
      await box.fails(put(opened, BYTES, key), "already-exists", /is no regular file/);
    }
    assert.deepEqual(box.names(), ["archive.age", "dangling", "fifo", "folder", "link"]);
  });

  await test.step("nothing goes through them", async () => {
    const refused = /"\S+\/linked" is a link, not a folder/;
    await box.fails(put(opened, BYTES, "linked/x"), "misconfigured", refused);
    await box.fails(put(opened, BYTES, "linked/deep/x"), "misconfigured", refused);
    await box.fails(opened.stat("linked/secret", never), "misconfigured", refused);
    await box.fails(opened.get("linked/secret", undefined, never), "misconfigured", refused);
    await box.fails(opened.remove("linked/secret", never), "misconfigured", refused);
    await box.fails(opened.discard("linked/secret", never), "misconfigured", refused);
    await box.fails(keysOf(opened, "linked/"), "misconfigured", refused);
    assert.deepEqual([...Deno.readDirSync(`${server.folder}/elsewhere`)].map(({ name }) => name), ["secret"]);
  });

  await test.step("the configured folder itself may be one", async () => {
    await Deno.symlink(server.at(), `${server.folder}/entry`);
    assert.deepEqual(await keysOf(await box.open({ path: `${server.folder}/entry` }), ""), [KEY]);
    await box.fails(
      put(await box.open({ path: server.at(KEY) })),
      "misconfigured",
      /archive\.age" is a file, not a folder/,
    );
  });
});

Deno.test("discard removes what died of exactly this key", async () => {
  await using box = await Box.start();
  const opened = await box.open();
  await put(opened);
  const name = (of: string) =>
    box.server.at(`acme/${partialName(of, crypto.getRandomValues(new Uint8Array(8)))}`);
  const [ours, again, other] = [name("archive.age"), name("archive.age"), name("archive.age.sha256")];
  for (const path of [ours, again, other]) await Deno.writeTextFile(path, "half");
  await Deno.mkdir(name("archive.age"));
  await opened.discard(KEY, never);
  const left = box.names().filter((one) => one.endsWith(".partial"));
  assert.equal(left.length, 2, "another key's, and a folder");
  assert.ok(left.includes(other.split("/").at(-1)!));
  box.holds();
});

Deno.test("what was stored whole is found, and the hidden name that was left with it is removed", async () => {
  await using box = await Box.start();
  const opened = await box.open();
  await put(opened);
  // As after a connection that was cut between the link and the removal.
  const hidden = box.server.at(`acme/${partialName("archive.age", new Uint8Array(8))}`);
  await Deno.link(box.server.at(KEY), hidden);
  await put(opened);
  assert.deepEqual(box.names(), ["archive.age"]);
  await box.fails(put(opened, sample(10)), "already-exists", /exists already with other content/);
  box.holds();
});

for (
  const [what, subsystem] of [
    ["hard links", "internal-sftp"],
    ["no hard links, but OpenSSH's rename", `${SFTP_SERVER} -P hardlink`],
    [
      "nothing but the protocol itself",
      `${SFTP_SERVER} -P hardlink,fsync,posix-rename,statvfs,fstatvfs,limits`,
    ],
  ] as const
) {
  Deno.test(`publishing with ${what}: whole, never replacing, at most one`, async () => {
    await using box = await Box.start({ subsystem });
    const opened = await box.open(), other = await box.open();
    await put(opened);
    box.holds();
    await box.fails(put(opened, sample(7)), "already-exists", /exists already/);
    await put(opened);
    // Somebody else has it just before the name is given.
    const key = "acme/raced", theirs = sample(1000, 2);
    const raced = bodyOf(BYTES, BYTES.length, (controller) => {
      Deno.writeFileSync(box.server.at(key), theirs);
      controller.close();
    });
    await box.fails(opened.put(key, raced, never), "already-exists", /exists already/);
    box.holds(theirs, key);
    const bodies = [sample(300_000, 3), sample(300_000, 4)];
    const results = await Promise.allSettled(
      [opened, other].map((one, at) => put(one, bodies[at]!, "acme/two")),
    );
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    box.holds(bodies[results.findIndex(({ status }) => status === "fulfilled")]!, "acme/two");
    assert.deepEqual(box.names(), ["archive.age", "raced", "two"]);
    await opened.remove("acme/two", never);
    assert.deepEqual((await keysOf(other, "")).sort(), [KEY, key]);
  });
}

Deno.test("Debian's sftp and rclone see the same", async () => {
  await using box = await Box.start();
  const { server } = box, opened = await box.open();
  const keys = [KEY, "acme/empty", "acme/deep/er/one"];
  for (const key of keys) await put(opened, key.endsWith("empty") ? sample(0) : BYTES, key);
  await Deno.writeTextFile(`${server.folder}/known`, `${server.knownHost()}\n`);

  // rclone reads what we wrote, by a library of its own.
  const remote = `:sftp,host=127.0.0.1,port=${server.port},user=${server.username},` +
    `key_file=${server.folder}/key,known_hosts_file=${server.folder}/known,shell_type=none:${server.at()}`;
  const listed = JSON.parse(await stock("rclone", "lsjson", "-R", "--files-only", remote)) as {
    Path: string;
    Size: number;
  }[];
  assert.deepEqual(
    listed.map(({ Path, Size }) => [Path, Size]).sort(),
    keys.map((key) => [key, key.endsWith("empty") ? 0 : BYTES.length]).sort(),
  );
  await Deno.mkdir(`${server.folder}/fetched`);
  await stock("rclone", "copy", remote, `${server.folder}/fetched`);
  for (const key of keys) {
    assert.deepEqual(Deno.readFileSync(`${server.folder}/fetched/${key}`), Deno.readFileSync(server.at(key)));
  }

  // We read what OpenSSH's own client wrote.
  const theirs = sample(1_000_001, 5);
  await Deno.writeFile(`${server.folder}/theirs`, theirs);
  await Deno.writeTextFile(
    `${server.folder}/batch`,
    `put ${server.folder}/theirs ${server.at("acme/theirs")}\n`,
  );
  await stock(
    ...[
      "sftp",
      "-q",
      "-b",
      `${server.folder}/batch`,
      "-P",
      `${server.port}`,
      "-i",
      `${server.folder}/key`,
    ] as const,
    ...["-o", `UserKnownHostsFile=${server.folder}/known`, `${server.username}@127.0.0.1`],
  );
  assert.deepEqual(await keysOf(opened, "acme/t"), ["acme/theirs"]);
  await put(opened, theirs, "acme/theirs");
});
