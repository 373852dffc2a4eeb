import assert from "node:assert/strict";
import { sign, type SignerKey, verify } from "../../src/archive/signature.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { AppError } from "../../src/base/errors.ts";
import { hostSigner, readSigner, removeSignerLeftovers } from "../../src/custody/signer.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";

const world = worldWith();
const MESSAGE = new TextEncoder().encode("hello");

Deno.test("the signer is made once, in a folder of its own, and is the same ever after", async () => {
  await using scratch = await Scratch.make();
  const state = scratch.file("state");
  const made = await hostSigner(world, state);
  for (const again of [await hostSigner(world, state), await readSigner(world, state)]) {
    assert.deepEqual(again.key, made.key);
    assert.deepEqual(await verify(MESSAGE, await sign(MESSAGE, again)), made.key);
  }
  assert.deepEqual(scratch.names("state"), ["signer.key", "signer.pub"]);
});

Deno.test("the private half is for its owner alone, the public half for everybody", async () => {
  await using scratch = await Scratch.make();
  const umask = Deno.umask(0);
  try {
    const { key } = await hostSigner(world, scratch.file("state"));
    const bits = async (name: string) => (await Deno.stat(scratch.file(name))).mode! & 0o777;
    assert.equal(await bits("state"), 0o700);
    assert.equal(await bits("state/signer.key"), 0o600);
    assert.equal(await bits("state/signer.pub"), 0o644);
    const text = await scratch.read("state/signer.pub");
    assert.equal(text, `${key.text} vaultferry@${Deno.hostname()}\n`);
  } finally {
    Deno.umask(umask);
  }
});

Deno.test("two first uses at one moment give one key, twenty too", async () => {
  await using scratch = await Scratch.make();
  const signers = await Promise.all(Array.from({ length: 20 }, () => hostSigner(world, scratch.path)));
  const kept = await readSigner(world, scratch.path);
  for (const { key } of signers) assert.deepEqual(key, kept.key);
  assert.deepEqual(scratch.names(), ["signer.key", "signer.pub"], "no temporary file stays");
});

Deno.test("what a killed run left of a private key is removed once there is a key, and nothing else", async () => {
  await using scratch = await Scratch.make();
  const leftovers = ["signer.key.0123abcd.tmp", "signer.key.ffffffff.tmp"];
  const others = [
    "signer.key.tmp",
    "signer.key.0123abcd.tmp.old",
    "other.key.0123abcd.tmp",
    "signer.key.XYZ.tmp",
  ];
  for (const name of [...leftovers, ...others]) await scratch.write(name, "made-up");
  await removeSignerLeftovers(world, scratch.path);
  assert.deepEqual(
    scratch.names(),
    [...leftovers, ...others].sort(),
    "one of them may be about to become the key",
  );
  const { key } = await hostSigner(world, scratch.path);
  // Killed between the key's two names: both are the same file.
  await Deno.link(scratch.file("signer.key"), scratch.file("signer.key.00000000.tmp"));
  await removeSignerLeftovers(world, scratch.path);
  assert.deepEqual(scratch.names(), ["signer.key", "signer.pub", ...others].sort());
  assert.deepEqual((await readSigner(world, scratch.path)).key, key);
});

Deno.test("who is just making a key when others sweep takes the one that there is", async () => {
  await using scratch = await Scratch.make();
  let first: SignerKey | undefined;
  const slow = worldWith({
    link: async (from, to) => {
      if (!first) {
        first = (await hostSigner(world, scratch.path)).key;
        await removeSignerLeftovers(world, scratch.path);
        assert.throws(() => Deno.lstatSync(from), Deno.errors.NotFound);
      }
      await denoFiles.link(from, to);
    },
  });
  assert.deepEqual((await hostSigner(slow, scratch.path)).key, first);
  assert.deepEqual(scratch.names(), ["signer.key", "signer.pub"]);
});

Deno.test("two runs that sweep at one moment are not in each other's way", async () => {
  await using scratch = await Scratch.make();
  await hostSigner(world, scratch.path);
  await scratch.write("signer.key.0123abcd.tmp", "made-up");
  const slow = worldWith({
    remove: async (path) => {
      await Deno.remove(path).catch(() => {}); // the other one was faster
      await denoFiles.remove(path);
    },
  });
  await removeSignerLeftovers(slow, scratch.path);
  assert.deepEqual(scratch.names(), ["signer.key", "signer.pub"]);
});

Deno.test("a signer that is not there is not found, and looking makes none", async () => {
  await using scratch = await Scratch.make();
  await failure(readSigner(world, scratch.path), "not-found");
  assert.deepEqual(scratch.names(), []);
});

Deno.test("a damaged key is refused with a hint, never replaced, and nothing of it is told", async () => {
  await using scratch = await Scratch.make();
  await hostSigner(world, scratch.path);
  const pem = await scratch.read("signer.key");
  const body = pem.split("\n")[1]!;
  const damaged = ["", "x", pem.slice(0, -30), pem.slice(30), pem.replace(body, body.slice(4)), pem + pem];
  damaged.push(pem.replace(body, "!" + body), pem.replaceAll("PRIVATE", "PUBLIC"), pem.replace(body, ""));
  for (const text of damaged) {
    await scratch.write("signer.key", text);
    const error = await failure(hostSigner(world, scratch.path), "corrupt", /is not the private key/);
    assert.match(error.hint!, /a new key .* begins a new chain/);
    assert.ok(!(Deno.inspect(error) + Deno.inspect(error.cause)).includes(body.slice(10, 40)));
    assert.equal(await scratch.read("signer.key"), text, "left as it is");
  }
});

Deno.test("a key file that may not be read is no reason to make another", async () => {
  await using scratch = await Scratch.make();
  await hostSigner(world, scratch.path);
  const pem = await scratch.read("signer.key");
  const denied = new AppError("denied", "permission denied");
  const shut = worldWith({ read: () => Promise.reject(denied) });
  assert.equal(await failure(hostSigner(shut, scratch.path), "denied"), denied);
  assert.equal(await scratch.read("signer.key"), pem);
});

Deno.test("a copy of the key on another host signs as the same signer", async () => {
  await using one = await Scratch.make();
  await using two = await Scratch.make();
  const { key } = await hostSigner(world, one.path);
  await two.write("signer.key", await one.read("signer.key"));
  const copy = await hostSigner(world, two.path);
  assert.deepEqual(await verify(MESSAGE, await sign(MESSAGE, copy)), key);
});
