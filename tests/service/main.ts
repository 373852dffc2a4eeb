/**
 * Starts the local 1Password service and leaves it running, to try vaultferry against: `deno task service`.
 *
 * @module
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bigAccount, sampleAccount, startService } from "./mod.ts";

const USAGE = `usage: deno task service [--port N] [--token-file FILE] [--account sample|big] [--latency MS]

  --port N           port on 127.0.0.1; any free one when left out
  --token-file FILE  where the service account token goes; replaced if it is there
  --account NAME     sample: all kinds of items (default); big: 20,000 items and 200 files of 1 MiB
  --latency MS       how long every request waits, in milliseconds`;

const ACCOUNTS = { sample: sampleAccount, big: bigAccount };

interface Settings {
  port: number;
  tokenFile: string;
  account: keyof typeof ACCOUNTS;
  latencyMs: number;
}

/** @throws {Error} that says what is wrong with the arguments */
function readArguments(args: string[]): Settings | "help" {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "0" },
      "token-file": { type: "string", default: join(tmpdir(), "vaultferry-service.token") },
      account: { type: "string", default: "sample" },
      latency: { type: "string", default: "0" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const { account } = values;
  if (account !== "sample" && account !== "big") {
    throw new Error(`there is no account ${JSON.stringify(account)}`);
  }
  return {
    port: wholeNumber("--port", values.port, 65_535),
    tokenFile: values["token-file"],
    account,
    latencyMs: wholeNumber("--latency", values.latency, 60_000),
  };
}

function wholeNumber(option: string, text: string, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(number <= most)) {
    throw new Error(`${option} needs a whole number up to ${most}, not ${JSON.stringify(text)}`);
  }
  return number;
}

/** Writes a secret to a file that nobody else can read, in place of whatever has that name, without following links. */
async function writeSecret(path: string, secret: string): Promise<void> {
  const fresh = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(fresh, secret + "\n", { createNew: true, mode: 0o600 });
  await Deno.rename(fresh, path);
}

/** Resolves with the first signal that asks the process to stop. */
function askedToStop(): Promise<void> {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  return new Promise((resolve) => {
    const stop = () => {
      for (const signal of signals) Deno.removeSignalListener(signal, stop);
      resolve();
    };
    for (const signal of signals) Deno.addSignalListener(signal, stop);
  });
}

async function main(args: string[]): Promise<number> {
  let settings: Settings | "help";
  try {
    settings = readArguments(args);
  } catch (error) {
    console.error(`service: error: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (settings === "help") {
    console.log(USAGE);
    return 0;
  }
  try {
    await serve(settings);
    return 0;
  } catch (error) {
    console.error(`service: error: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

async function serve({ port, tokenFile, account, latencyMs }: Settings): Promise<void> {
  await using service = await startService(ACCOUNTS[account](), { port, latencyMs });
  await writeSecret(tokenFile, service.token());
  const stop = askedToStop();

  const items = service.account.vaults.reduce((sum, vault) => sum + vault.items.length, 0);
  console.log(`1Password service for tests: ${service.url}`);
  console.log(`account: ${service.account.name}, ${service.account.vaults.length} vaults, ${items} items`);
  console.log(`token:   ${tokenFile}`);
  console.log(`next:    put this under a job's source in your config, and run a backup in another terminal:`);
  console.log(`           type: onepassword-sdk`);
  console.log(`           token: ${JSON.stringify("file:" + tokenFile)}`);
  console.log(`stop:    Ctrl+C`);
  await stop;

  // It opens nothing any more, and the next run has another one.
  await Deno.remove(tokenFile).catch(() => {});
  console.log(`stopped after ${service.requests.total()} requests`);
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
