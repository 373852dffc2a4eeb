/**
 * Speed and memory, measured: `deno task bench [WORD…]` runs the cases whose names contain a word (all without).
 * Every case is a whole `backup` in a process of its own, with the runtime flags that vaultferry runs with; then the
 * chain of transforms against stock programs (chain.ts).
 * Ends with exit code 1 when a bound does not hold.
 */
import { benchChain } from "./chain.ts";
import { benchStart } from "./start.ts";
import { newIdentity } from "../../src/custody/identities.ts";

interface Case {
  name: string;
  source: "onepassword-sdk" | "synthetic";
  items: number;
  files: number;
  /** Bytes. */
  fileSize: number;
  /** The most memory that is allowed, in MiB. */
  bound: number;
}

const MIB = 1024 * 1024;

/** With SDK files the bound is 150 MiB + 30 × the largest file; the SDK itself needs some 20 times a file's size. */
const withFile = (size: number) => Math.round(150 + 30 * size / MIB);

const CASES: Case[] = [
  { name: "pipeline: 20,000 items", source: "synthetic", items: 20_000, files: 0, fileSize: 0, bound: 250 },
  { name: "pipeline: 2 GiB file", source: "synthetic", items: 1, files: 1, fileSize: 2048 * MIB, bound: 250 },
  { name: "SDK: 20,000 items", source: "onepassword-sdk", items: 20_000, files: 0, fileSize: 0, bound: 250 },
  ...[1, 5, 20, 40].map((mib): Case => {
    const fileSize = Math.min(mib * MIB, 50_000_000);
    const files = mib === 1 ? 60 : 3;
    return {
      name: `SDK: ${files} files of ${mib} MiB`,
      source: "onepassword-sdk",
      items: 60,
      files,
      fileSize,
      bound: withFile(fileSize),
    };
  }),
];

const root = new URL("../..", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "vaultferry-bench-" });
let exceeded = 0;
try {
  console.log(row(["case", "seconds", "items/s", "MiB/s", "peak MiB", "bound", ""]));
  const wanted = (name: string) => Deno.args.every((word) => name.includes(word));
  for (const one of CASES.filter(({ name }) => wanted(name))) {
    const { seconds, peak } = await measure(one);
    const mib = one.files * one.fileSize / MIB;
    const holds = peak / MIB <= one.bound;
    if (!holds) exceeded++;
    console.log(row([
      one.name,
      seconds.toFixed(1),
      one.items > 100 ? (one.items / seconds).toFixed(0) : "",
      mib > 0 ? (mib / seconds).toFixed(0) : "",
      (peak / MIB).toFixed(0),
      String(one.bound),
      holds ? "holds" : "EXCEEDED",
    ]));
  }
  exceeded += await benchStart(wanted);
  exceeded += await benchChain(await productFlags(), wanted);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(exceeded === 0 ? 0 : 1);

async function measure(one: Case): Promise<{ seconds: number; peak: number }> {
  const place = `${folder}/${crypto.randomUUID()}`;
  await Deno.mkdir(`${place}/nas`, { recursive: true });
  const service = one.source === "synthetic" ? undefined : await startService(one, place);
  try {
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
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-prompt",
        ...await productFlags(),
        `${root}tests/bench/child.ts`,
        "backup",
        "--config",
        `${place}/vaultferry.yaml`,
      ],
    }).output();
    const { code, seconds, peak } = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
    if (code !== 0) throw new Error(`backup ended with ${code}: ${new TextDecoder().decode(stderr)}`);
    return { seconds, peak };
  } finally {
    service?.kill("SIGKILL");
    await service?.status;
    await Deno.remove(place, { recursive: true });
  }
}

/** The V8 flags of the task that users run: what is measured is what they get. */
async function productFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  return (tasks.vaultferry.command as string).split(" ").filter((word) => word.startsWith("--v8-flags="));
}

async function startService(one: Case, place: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `${root}tests/bench/service_process.ts`,
      ...[one.items, one.files, one.fileSize].map(String),
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the service did not start");
    text += value;
  }
  await reader.cancel();
  await Deno.writeTextFile(`${place}/token`, text.trim(), { mode: 0o600 });
  return child;
}

function row([name = "", ...cells]: string[]): string {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(10)).join("");
}
