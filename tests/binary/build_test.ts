import assert from "node:assert/strict";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { compile } from "../../scripts/compile/compile.ts";
import { runtimeFlags } from "../../scripts/compile/flags.ts";
import { hostTarget, targetOf, TARGETS } from "../../scripts/compile/targets.ts";
import { binaries, binary, ROOT } from "./binary.ts";

const MOST = 106e6;

Deno.test("the binary is not too large", async () => {
  const { size } = await Deno.stat(await binary());
  assert(size <= MOST, `${size} bytes`);
});

Deno.test("another folder and another time give the same bytes", async () => {
  const first = await sha256(await binary());
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-elsewhere-" });
  try {
    for (const name of ["main.ts", "deno.json", "deno.lock", "src", "plugins"]) {
      await copy(join(ROOT, name), join(folder, name));
    }
    const output = join(folder, "out", "another-name");
    const [made] = await compile(folder, [{ target: hostTarget(), output }]);
    assert.equal(await sha256(output), first);
    // Which runtime is inside is said, and that the one from npm is not for a release.
    assert.match(
      made!.runtime,
      /^the (runtime of Deno 2\.7\.11 from npm, because that of Deno \S+ is out of reach: for tests, not for a release|official runtime of Deno \S+|runtime \S+)$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("every target can be compiled", async (test) => {
  const magic: Record<string, number[]> = {
    "linux-x64": [0x7f, 0x45, 0x4c, 0x46, 2],
    "linux-arm64": [0x7f, 0x45, 0x4c, 0x46, 2],
    "win32-x64": [0x4d, 0x5a],
    "darwin-x64": [0xcf, 0xfa, 0xed, 0xfe, 7],
    "darwin-arm64": [0xcf, 0xfa, 0xed, 0xfe, 12],
  };
  const paths = await binaries(TARGETS.map(({ npm }) => npm));
  for (const [index, { npm }] of TARGETS.entries()) {
    await test.step(npm, async () => {
      const path = paths[index]!;
      const { size } = await Deno.stat(path);
      assert(size > 50e6 && size <= MOST, `${size} bytes`);
      using file = await Deno.open(path);
      const head = new Uint8Array(magic[npm]!.length);
      await file.read(head);
      assert.deepEqual([...head], magic[npm]);
    });
  }
});

Deno.test("an unknown target is refused", () => {
  assert.throws(() => targetOf("vax"), /there is no target "vax": choose one of x86_64-unknown-linux-gnu/);
});

Deno.test("the binary's permissions are named one by one", async (test) => {
  const flags = await runtimeFlags(ROOT);
  assert(flags.includes("--no-prompt"));
  assert(flags.every((flag) => /^--(no-prompt|allow-[a-z]+(=.+)?|v8-flags=.+)$/.test(flag)), flags.join(" "));
  assert(flags.some((flag) => flag.startsWith("--allow-sys=")), "not all of sys");

  const folder = await Deno.makeTempDir();
  for (
    const [command, message] of [
      ["deno run -A --no-prompt main.ts", /one by one/],
      ["deno run --no-prompt --allow-all main.ts", /one by one/],
      ["deno run --no-prompt -P=app main.ts", /one by one/],
      ["deno run --allow-read main.ts", /--no-prompt/],
      ["deno run --no-prompt main.ts backup", /is not "deno run FLAGS main.ts"/],
    ] as const
  ) {
    await test.step(command, async () => {
      await Deno.writeTextFile(
        join(folder, "deno.json"),
        JSON.stringify({ tasks: { vaultferry: { command } } }),
      );
      await assert.rejects(runtimeFlags(folder), message);
    });
  }
  await Deno.remove(folder, { recursive: true });
});

async function sha256(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}
