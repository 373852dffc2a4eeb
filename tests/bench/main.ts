/**
 * Speed and memory, measured: `deno task bench [WORD…]` runs the cases whose names contain a word (all without).
 * Every case is a whole `backup` in a process of its own, with the runtime flags that vaultferry runs with; then the
 * chain of transforms against stock programs (chain.ts).
 * `deno task bench destinations [NAME…] [--mib N] [--rounds N]` sends one large file to every kind of destination, or
 * to those named, beside rclone (destinations/mod.ts).
 * Ends with exit code 1 when a bound does not hold.
 */
import { parseArgs } from "node:util";
import { benchChain } from "./chain.ts";
import { benchStart } from "./start.ts";
import { benchAhead } from "./ahead.ts";
import { type BackupCase, measureBackup, MIB, productFlags } from "./backup.ts";
import { benchDestinations, DESTINATIONS } from "./destinations/mod.ts";
import { benchFileReads } from "./file_reads.ts";

interface Case extends BackupCase {
  name: string;
  /** The most memory that is allowed, in MiB. */
  bound: number;
}

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

const { values, positionals: words } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { mib: { type: "string", default: "1024" }, rounds: { type: "string", default: "3" } },
});
const size = { mib: whole("mib", values.mib), rounds: whole("rounds", values.rounds) };
if (words[0] === "destinations") {
  const names = words.slice(1), unknown = names.find((name) => !DESTINATIONS.includes(name));
  if (unknown !== undefined) refuse(`there is no "${unknown}", but ${DESTINATIONS.join(", ")}`);
  const named = (name: string) => names.length === 0 || names.includes(name.replace("destinations: ", ""));
  Deno.exit(await benchDestinations(size, named) === 0 ? 0 : 1);
}

let exceeded = 0;
console.log(row(["case", "seconds", "items/s", "MiB/s", "peak MiB", "bound", ""]));
const wanted = (name: string) => words.every((word) => name.includes(word));
for (const one of CASES.filter(({ name }) => wanted(name))) {
  const { seconds, peak } = await measureBackup(one);
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
exceeded += await benchAhead(wanted);
exceeded += await benchFileReads(wanted);
exceeded += await benchStart(wanted);
exceeded += await benchChain(await productFlags(), wanted);
exceeded += await benchDestinations(size, wanted);
Deno.exit(exceeded === 0 ? 0 : 1);

function row([name = "", ...cells]: string[]): string {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(10)).join("");
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) refuse(`--${name} must be a whole number`);
  return Number(text);
}

function refuse(why: string): never {
  console.error(`bench: ${why}`);
  Deno.exit(2);
}
