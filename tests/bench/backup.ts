import { newIdentity } from "../../src/custody/identities.ts";

export const MIB = 1024 * 1024;

const root = new URL("../..", import.meta.url).pathname;

/** A whole `backup` to be measured. */
export interface BackupCase {
  source: "onepassword-sdk" | "synthetic";
  items: number;
  files: number;
  /** Bytes. */
  fileSize: number;
  /** How long every request waits, in milliseconds; none when left out. */
  latencyMs?: number;
  /** One call of 1Password's core after the other. */
  oneAtATime?: boolean;
}

export interface Measured {
  seconds: number;
  /** Bytes of memory at the highest. */
  peak: number;
  /** What the service was asked; 0 without one. */
  requests: number;
}

/** Runs a backup in a process of its own, against a service in another. */
export async function measureBackup(one: BackupCase): Promise<Measured> {
  const place = await Deno.makeTempDir({ prefix: "vaultferry-bench-" });
  await Deno.mkdir(`${place}/nas`);
  await using service = one.source === "synthetic" ? undefined : await ServiceProcess.start(one);
  try {
    if (service) await Deno.writeTextFile(`${place}/token`, service.token, { mode: 0o600 });
    const { recipient } = await newIdentity(false);
    const source = service
      ? { type: one.source, token: `file:${place}/token` }
      : { type: one.source, items: one.items, files: one.files, fileSize: one.fileSize };
    const job = {
      source,
      recipients: [recipient],
      destinations: [{ name: "nas", type: "local", path: `${place}/nas` }],
    };
    const config = { version: 1, state: `${place}/state`, jobs: { bench: job } };
    await Deno.writeTextFile(`${place}/vaultferry.yaml`, JSON.stringify(config)); // JSON is YAML
    const { code, ...measured } = await runChild("child.ts", [
      ...(one.oneAtATime ? ["--one-at-a-time"] : []),
      "backup",
      "--config",
      `${place}/vaultferry.yaml`,
    ]);
    if (code !== 0) throw new Error(`backup ended with ${code}`);
    return { ...measured, requests: await service?.requests() ?? 0 } as Measured;
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

/** Runs a module beside this one as users run the program; returns what the last line that it prints holds. */
// deno-lint-ignore no-explicit-any -- each child measures something else
export async function runChild(module: string, args: string[]): Promise<any> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", ...await productFlags(), `${root}tests/bench/${module}`, ...args],
  }).output();
  try {
    return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
  } catch {
    throw new Error(`${module} failed: ${new TextDecoder().decode(stderr)}`);
  }
}

/** The V8 flags of the task that users run: what is measured is what they get. */
export async function productFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  return (tasks.vaultferry.command as string).split(" ").filter((word) => word.startsWith("--v8-flags="));
}

/** The local 1Password service in a process of its own, so that its memory and time are not measured. */
export class ServiceProcess implements AsyncDisposable {
  private constructor(
    readonly token: string,
    readonly child: Deno.ChildProcess,
    readonly said: ReadableStreamDefaultReader<string>,
  ) {}

  static async start(account: Omit<BackupCase, "source">): Promise<ServiceProcess> {
    const { items, files, fileSize, latencyMs = 0 } = account;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        `${root}tests/bench/service_process.ts`,
        ...[items, files, fileSize, latencyMs].map(String),
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    return new ServiceProcess(await line(said), child, said);
  }

  /** How many requests it has had. Ends it. */
  async requests(): Promise<number> {
    await this.child.stdin.close();
    return Number(await line(this.said));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.said.cancel();
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.status;
  }
}

/** The next line that a child prints. */
export async function line(said: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await said.read();
    if (done) throw new Error("the service ended");
    text += value;
  }
  return text.trim();
}
