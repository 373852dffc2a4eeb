/**
 * A whole backup as a user would make it, against the local 1Password service: make a key, back up to a folder,
 * verify, restore, and compare every item and file with what the service gives through the official SDK.
 */
import assert from "node:assert/strict";
import { sampleAccount, startService } from "../tests/service/mod.ts";
import { signIn } from "../tests/service/sdk.ts";
import { compareWithService } from "./demo_compare.ts";

const root = new URL("..", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "vaultferry-demo-" });
const account = sampleAccount();
await using service = await startService(account);

try {
  say(`A 1Password service for tests runs at ${service.url}; everything below happens in ${folder}.`);
  await Deno.mkdir(`${folder}/nas`);
  await Deno.writeTextFile(`${folder}/token`, service.token(), { mode: 0o600 });

  say("1. Make a key. Really: on a computer that is not the backup host, and put it into a safe.");
  await vaultferry("keys", "new", "--output", "key.txt");
  const recipient = /age1\S+/.exec(await Deno.readTextFile(`${folder}/key.txt`))?.[0];
  assert(recipient, "the key file names its recipient");

  say("2. Write a config.");
  const config = `version: 1
state: ${folder}/state
jobs:
  demo:
    source: {type: onepassword-sdk, token: "file:${folder}/token"}
    recipients: [${recipient}]
    destinations:
      - {name: nas, type: local, path: ${folder}/nas}
`;
  await Deno.writeTextFile(`${folder}/vaultferry.yaml`, config);
  console.log(config.replace(/^/gm, "    "));

  say("3. Back up: only the public key is needed.");
  await vaultferry("backup");

  say("4. What is there, is it what this host signed, and can it be opened?");
  await vaultferry("list");
  await vaultferry("verify", "--identity", "key.txt");

  say("5. Restore.");
  await vaultferry("restore", "--to", "restored", "--identity", "key.txt");

  say("6. Compare what was restored with what 1Password's own SDK says now.");
  const { same, limits, differences } = await compareWithService(await signIn(service), `${folder}/restored`);
  for (const limit of limits) console.log(`    not in the backup, and named as such: ${limit}`);
  for (const difference of differences) console.log(`    DIFFERS: ${difference}`);
  assert.equal(differences.length, 0, "something differs");
  console.log(`    ${same.items} items and ${same.files} files are the same, nothing differs\n`);
} finally {
  await Deno.remove(folder, { recursive: true });
}

function say(text: string): void {
  console.log(`\n${text}\n`);
}

/** Runs vaultferry from source, as `deno task vaultferry` does, and shows it. */
async function vaultferry(...args: string[]): Promise<void> {
  console.log(`    $ vaultferry ${args.join(" ")}`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "--config", `${root}/deno.json`, `${root}/main.ts`, ...args],
    cwd: folder,
    env: { VAULTFERRY_CONFIG: `${folder}/vaultferry.yaml` },
  }).output();
  for (const text of [stderr, stdout]) {
    const shown = new TextDecoder().decode(text);
    if (shown !== "") console.log(shown.trimEnd().replace(/^/gm, "      "));
  }
  if (code !== 0) throw new Error(`vaultferry ${args[0]} ended with exit code ${code}`);
}
