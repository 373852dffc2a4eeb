/**
 * Runs the binary for Windows under wine 10: backup, list, verify and restore against the local 1Password service and
 * a destination of every kind, each of which is tried out, and compares what came out. Takes some two minutes. Not a
 * part of the tests: it needs root, debootstrap, bubblewrap and the destinations' servers, and 2.1 GB on disk for the
 * wine of Debian 13 (that of Debian 12 is too old).
 *
 * `deno run -A --no-prompt scripts/compile/wine.ts [--root FOLDER]`
 */
import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SERVERS } from "../../tests/bench/destinations/servers.ts";
import { steadyAccount } from "../../tests/binary/account.ts";
import { startService } from "../../tests/service/mod.ts";
import { signIn } from "../../tests/service/sdk.ts";
import { compareWithService } from "../demo_compare.ts";
import { compile } from "./compile.ts";
import { targetOf } from "./targets.ts";

const { values } = parseArgs({ options: { root: { type: "string" } } });
const debian = values.root ?? join(homedir(), ".cache", "vaultferry-build", "wine");
const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const folder = await Deno.makeTempDir({ prefix: "vaultferry-wine-" });
await using service = await startService(steadyAccount());
await using stack = new AsyncDisposableStack();
const started = performance.now();

try {
  await install();
  const [made] = await compile(checkout, [{
    target: targetOf("win32-x64"),
    output: join(folder, "vaultferry.exe"),
  }]);
  console.log(`compiled with ${made!.runtime}`);
  await vaultferry("--version");
  await Deno.mkdir(join(folder, "nas"));
  await Deno.writeTextFile(join(folder, "token"), service.token(), { mode: 0o600 });
  const recipient = /age1\S+/.exec(await vaultferry("keys", "new", "--output", "Z:\\backup\\key.txt"))?.[0];
  const job = {
    source: { type: "onepassword-sdk", token: "file:Z:\\backup\\token" },
    recipients: [recipient],
    destinations: [{ name: "nas", type: "local", path: "Z:\\backup\\nas" }, ...await others()],
  };
  const config = { version: 1, state: "Z:\\backup\\state", jobs: { acme: job } };
  await Deno.writeTextFile(join(folder, "vaultferry.yaml"), JSON.stringify(config, undefined, 2));
  const common = ["--config", "Z:\\backup\\vaultferry.yaml"];
  const identity = ["--identity", "Z:\\backup\\key.txt"];
  await vaultferry("backup", ...common);
  await vaultferry("list", ...common);
  await vaultferry("verify", ...identity, ...common);
  for (const { name } of job.destinations) await vaultferry("destination", "test", name, ...common);
  await vaultferry("restore", "--to", "Z:\\backup\\restored", ...identity, ...common);
  const found = await compareWithService(await signIn(service), join(folder, "restored"));
  assert.deepEqual(found.differences, []);
  console.log(`${found.same.items} items and ${found.same.files} files are the same, nothing differs`);
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(0); // the SDK never lets go

/** A destination of every other kind, on servers of this machine. */
async function others(): Promise<{ name: string; type: string }[]> {
  const found = [];
  for (const type of Object.keys(SERVERS).filter((type) => type !== "local")) {
    await Deno.mkdir(join(folder, type));
    const secret = (name: string, text: string) => {
      Deno.writeTextFileSync(join(folder, type, name), text, { mode: 0o600 });
      return `file:Z:\\backup\\${type}\\${name}`;
    };
    const { ours } = await SERVERS[type]!({ folder: join(folder, type), secret, stack });
    found.push({ name: type, type, ...ours });
  }
  return found;
}

/** Debian 13 with wine, once. */
async function install(): Promise<void> {
  const done = join(debian, "etc", "wine-is-installed");
  if (await Deno.stat(done).then(() => true, () => false)) return;
  console.log(`installing Debian 13 with wine into ${debian}`);
  await Deno.mkdir(debian, { recursive: true });
  await run("debootstrap", ["--variant=minbase", "--include=wine,wine64", "trixie", debian]);
  await Deno.writeTextFile(done, "");
}

async function vaultferry(...args: string[]): Promise<string> {
  console.log(`$ vaultferry.exe ${args.join(" ")}`);
  const text = await run("bwrap", [
    ...[
      "--bind",
      debian,
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      "--bind",
      folder,
      "/backup",
    ],
    ...["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/root"],
    ...["--setenv", "XDG_RUNTIME_DIR", "/tmp", "--setenv", "WINEDEBUG", "-all", "--die-with-parent", "--"],
    ...["wine", "/backup/vaultferry.exe", ...args],
  ]);
  console.log(text.replace(/^/gm, "  "));
  return text;
}

async function run(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`${program} ended with exit code ${code}:\n${text}`);
  return text.trimEnd();
}
