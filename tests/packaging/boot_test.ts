/**
 * The binary under a real systemd, booted in a container: the timer starts the service, the service gets its token by
 * LoadCredential=, runs hardened as its own user, and publishes a backup. Needs root.
 */
import assert from "node:assert/strict";
import { binary } from "../binary/binary.ts";
import { sampleAccount, startService } from "../service/mod.ts";
import { newIdentity } from "../../src/custody/identities.ts";

const UNITS = new URL("../../packaging/systemd/", import.meta.url).pathname;
const UID = 990;

Deno.test("a backup is published from the timer, under a real systemd", async () => {
  const program = await binary();
  const root = await Deno.makeTempDir({ prefix: "vaultferry-boot-" });
  try {
    await using service = await startService(sampleAccount());
    await furnish(root, service.token());
    const said = await boot(root, program) + await journal(root);
    const log = await Deno.readTextFile(`${root}/srv/log`).catch(() => ""); // absent: the journal says why
    const names = [...Deno.readDirSync(`${root}/srv/backups`)].map((one) => one.name);
    assert.deepEqual(names, ["acme"], `${said}\n${log}`);
    const parts = [...Deno.readDirSync(`${root}/srv/backups/acme`)].map((one) => one.name);
    for (const ending of [".age", ".age.sha256", ".manifest.json", ".manifest.json.sig"]) {
      assert.equal(parts.filter((name) => name.endsWith(ending)).length, 1, `${ending}: ${parts}\n${log}`);
    }
    assert.match(log, /nas: sent and read back, every byte compared/);
    assert.ok(!log.includes(service.token()));
    const { uid, mode } = await Deno.stat(`${root}/var/lib/vaultferry/signer.key`);
    assert.deepEqual([uid, mode! & 0o777], [UID, 0o600]);
    // systemd keeps the folder of credentials for the service alone, and takes it away with it.
    await assert.rejects(Deno.stat(`${root}/run/credentials/vaultferry.service`), Deno.errors.NotFound);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

/** A root file system that borrows the programs of this one and has its own configuration. */
async function furnish(root: string, token: string): Promise<void> {
  await Deno.chmod(root, 0o755);
  const folders = [
    "etc/vaultferry",
    "etc/systemd/system",
    "usr",
    "var/lib",
    "var/cache",
    "run",
    "tmp",
    "proc",
    "sys",
    "dev",
    "root",
    "srv/backups",
    "var/log/journal",
  ];
  for (const folder of folders) await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  const write = (path: string, text: string, mode = 0o644) =>
    Deno.writeTextFile(`${root}/${path}`, text, { mode });
  await write(
    "etc/passwd",
    `root:x:0:0::/root:/bin/sh\nvaultferry:x:${UID}:${UID}::/nonexistent:/usr/sbin/nologin\n`,
  );
  await write("etc/group", `root:x:0:\nvaultferry:x:${UID}:\n`);
  await write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  await write("etc/os-release", "ID=test\nNAME=test\n");
  await Deno.chown(`${root}/srv/backups`, UID, UID);

  await write("etc/vaultferry/op-token", token, 0o600);
  const { recipient } = await newIdentity(false);
  await write(
    "etc/vaultferry/vaultferry.yaml",
    `version: 1
jobs:
  acme:
    source: {type: onepassword-sdk, token: "credential:op-token"}
    recipients: [${recipient}]
    destinations:
      - {name: nas, type: local, path: /srv/backups}
`,
  );
  for (const name of ["vaultferry.service", "vaultferry.timer"]) {
    await Deno.copyFile(UNITS + name, `${root}/etc/systemd/system/${name}`);
  }
  // As an administrator would: by drop-ins. Tonight is one second after boot, and the machine goes off afterwards.
  await Deno.mkdir(`${root}/etc/systemd/system/vaultferry.service.d`);
  await write(
    "etc/systemd/system/vaultferry.service.d/test.conf",
    "[Unit]\nSuccessAction=poweroff-force\nFailureAction=poweroff-force\n" +
      "[Service]\nReadWritePaths=/srv/backups\nRestart=no\nStandardOutput=append:/srv/log\nStandardError=append:/srv/log\n",
  );
  await Deno.mkdir(`${root}/etc/systemd/system/vaultferry.timer.d`);
  await write(
    "etc/systemd/system/vaultferry.timer.d/test.conf",
    "[Timer]\nOnBootSec=1s\nRandomizedDelaySec=0\n",
  );
  await write("etc/systemd/system/probe.target", "[Unit]\nWants=vaultferry.timer\n");
}

async function boot(root: string, program: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("systemd-nspawn", {
    args: [
      "--quiet",
      `--directory=${root}`,
      "--boot",
      "--register=no",
      "--keep-unit",
      "--private-users=no",
      "--bind-ro=/usr",
      "--tmpfs=/usr/local/bin",
      `--bind-ro=${program}:/usr/local/bin/vaultferry`,
      "systemd.unit=probe.target",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(120_000),
  }).output().catch((error) => {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error("systemd-nspawn is missing: apt-get install systemd systemd-container");
    }
    throw error;
  });
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** What the container's systemd wrote about the service. */
async function journal(root: string): Promise<string> {
  const { stdout } = await new Deno.Command("journalctl", {
    args: [`--directory=${root}/var/log/journal`, "--no-pager", "--unit=vaultferry.service"],
  }).output();
  return new TextDecoder().decode(stdout);
}
