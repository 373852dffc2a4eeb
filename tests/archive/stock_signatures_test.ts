/** OpenSSH verifies what we sign, and we what it signs. */
import assert from "node:assert/strict";
import { sign, verify } from "../../src/archive/signature.ts";
import { hostSigner } from "../../src/custody/signer.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";
import { utf8 } from "./bench.ts";
import { stock } from "./stock.ts";

const MESSAGE = utf8('{"format":"vaultferry/1"}\n');

/** A folder with our signature of the message, and whom to trust. */
async function signed() {
  const scratch = await Scratch.make();
  const signer = await hostSigner(worldWith(), scratch.path);
  await scratch.write("signers", `host ${signer.key.text}\n`);
  await scratch.write("m.sig", await sign(MESSAGE, signer));
  return { scratch, signer };
}

function verifying(namespace = "vaultferry") {
  return ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "host", "-n", namespace, "-s", "m.sig"];
}

/** A signature by `ssh-keygen -Y sign` with a new key of this kind. */
async function opensshSignature(scratch: Scratch, kind: string, options: string[], namespace = "vaultferry") {
  await scratch.write("m", MESSAGE);
  const key = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "host", "-f", `key-${kind}`];
  if (!scratch.names().includes(`key-${kind}`)) assert.equal((await stock(scratch.path, key)).code, 0);
  const argv = ["ssh-keygen", "-Y", "sign", "-f", `key-${kind}`, "-n", namespace, ...options, "m"];
  const { code, err } = await stock(scratch.path, argv);
  assert.equal(code, 0, err);
  const signature = await scratch.read("m.sig");
  await Deno.remove(scratch.file("m.sig")); // else it asks whether to overwrite
  return signature;
}

Deno.test("ssh-keygen -Y verify accepts our signature", async () => {
  const { scratch } = await signed();
  await using _ = scratch;
  const { code, out } = await stock(scratch.path, verifying(), MESSAGE);
  assert.equal(code, 0);
  assert.match(out, /Good "vaultferry" signature for host with ED25519 key SHA256:/);
});

Deno.test("ssh-keygen -Y check-novalidate accepts it and names our fingerprint", async () => {
  const { scratch, signer } = await signed();
  await using _ = scratch;
  const argv = ["ssh-keygen", "-Y", "check-novalidate", "-n", "vaultferry", "-s", "m.sig"];
  const { code, out } = await stock(scratch.path, argv, MESSAGE);
  assert.equal(code, 0);
  assert.ok(out.includes(signer.key.fingerprint), out);
});

Deno.test("ssh-keygen refuses a changed message, another namespace and another signer", async () => {
  const { scratch } = await signed();
  await using _ = scratch;
  assert.notEqual((await stock(scratch.path, verifying(), utf8("{}\n"))).code, 0);
  assert.notEqual((await stock(scratch.path, verifying("file"), MESSAGE)).code, 0);
  assert.equal(
    (await stock(scratch.path, verifying(), MESSAGE)).code,
    0,
    "it was the changes that were refused",
  );
  await Deno.mkdir(scratch.file("other"));
  const other = await hostSigner(worldWith(), scratch.file("other"));
  await scratch.write("signers", `host ${other.key.text}\n`);
  assert.notEqual((await stock(scratch.path, verifying(), MESSAGE)).code, 0);
});

Deno.test("ssh-keygen -l prints the fingerprint that we do, for the public key that we write", async () => {
  const { scratch, signer } = await signed();
  await using _ = scratch;
  const { code, out } = await stock(scratch.path, ["ssh-keygen", "-l", "-f", "signer.pub"]);
  assert.equal(code, 0);
  assert.match(out, /^256 SHA256:\S+ vaultferry@\S+ \(ED25519\)$/m);
  assert.ok(out.includes(signer.key.fingerprint));
});

for (const options of [[], ["-O", "hashalg=sha512"], ["-O", "hashalg=sha256"]]) {
  Deno.test(`a signature by ssh-keygen -Y sign ${options.join(" ")} verifies here`, async () => {
    await using scratch = await Scratch.make();
    const key = await verify(MESSAGE, await opensshSignature(scratch, "ed25519", options));
    const [algorithm, encoded] = (await scratch.read("key-ed25519.pub")).split(" ");
    assert.equal(key.text, `${algorithm} ${encoded}`);
    await failure(verify(utf8("{}\n"), await opensshSignature(scratch, "ed25519", options)), "corrupt");
  });
}

for (const kind of ["rsa", "ecdsa"]) {
  Deno.test(`a signature by an ${kind} key is refused, however good`, async () => {
    await using scratch = await Scratch.make();
    const signature = await opensshSignature(scratch, kind, []);
    await failure(verify(MESSAGE, signature), "corrupt", /kind of key is unknown/);
  });
}

Deno.test("a signature that ssh-keygen made for another purpose is refused", async () => {
  await using scratch = await Scratch.make();
  const signature = await opensshSignature(scratch, "ed25519", [], "file");
  await failure(verify(MESSAGE, signature), "corrupt", /another purpose/);
});

Deno.test("openssl reads signer.key, and its public half is the one in signer.pub", async () => {
  const { scratch, signer } = await signed();
  await using _ = scratch;
  const argv = ["openssl", "pkey", "-in", "signer.key", "-pubout", "-outform", "DER", "-out", "public.der"];
  const { code, err } = await stock(scratch.path, argv);
  assert.equal(code, 0, err);
  const der = await Deno.readFile(scratch.file("public.der"));
  assert.deepEqual(der.slice(-32), signer.key.raw);
});
