/**
 * The whole chain against stock programs doing the same, one after the other in one run, on memory-backed files:
 * `tar | zstd -3 | age | tee >(sha256sum)`. What counts is the ratio. The best of three rounds of each.
 */
import { newIdentity } from "../../src/custody/identities.ts";

interface Case {
  name: string;
  items: number;
  files: number;
  fileSize: number;
  /** Our time may be at most this many times theirs. */
  ratio: number;
}

const MIB = 1024 * 1024;
const CASES: Case[] = [
  { name: "chain: 20,000 items + 200 x 1 MiB", items: 20_000, files: 200, fileSize: MIB, ratio: 1.4 },
  { name: "chain: 2 GiB file", items: 1, files: 1, fileSize: 2048 * MIB, ratio: 0.8 },
];

/** Peak memory of ours, in MiB. */
const BOUND = 250;

/** Prints a row a case; returns how many bounds did not hold. */
export async function benchChain(flags: string[], wanted: (name: string) => boolean): Promise<number> {
  let exceeded = 0;
  for (const one of CASES.filter(({ name }) => wanted(name))) {
    const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "vaultferry-bench-" });
    try {
      await fill(`${folder}/in`, one);
      const { recipient } = await newIdentity(false);
      let theirs = Infinity;
      let ours = { seconds: Infinity, peak: 0 };
      for (let round = 0; round < 3; round++) {
        theirs = Math.min(theirs, await stock(folder, recipient));
        const measured = await vaultferry(folder, recipient, flags);
        ours = {
          seconds: Math.min(ours.seconds, measured.seconds),
          peak: Math.max(ours.peak, measured.peak),
        };
      }
      const ratio = ours.seconds / theirs;
      const holds = ratio <= one.ratio && ours.peak / MIB <= BOUND;
      if (!holds) exceeded++;
      console.log(
        `${one.name.padEnd(36)} ours ${ours.seconds.toFixed(2)} s, stock ${theirs.toFixed(2)} s, ` +
          `${ratio.toFixed(2)}x (at most ${one.ratio}), peak ${
            (ours.peak / MIB).toFixed(0)
          } MiB (at most ${BOUND})  ` +
          (holds ? "holds" : "EXCEEDED"),
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return exceeded;
}

async function fill(folder: string, { items, files, fileSize }: Case): Promise<void> {
  await Deno.mkdir(`${folder}/vaults/v/items`, { recursive: true });
  await Deno.mkdir(`${folder}/vaults/v/files/i`, { recursive: true });
  for (let at = 0; at < items; at++) {
    const fields = [{ id: "password", value: crypto.randomUUID() }, {
      id: "username",
      value: `user${at}@example.com`,
    }];
    const raw = {
      id: `item${at}`,
      title: `Login ${at}`,
      category: "Login",
      fields,
      notes: "a note ".repeat(20),
    };
    Deno.writeTextFileSync(
      `${folder}/vaults/v/items/i${at}.json`,
      JSON.stringify({ ...raw, raw }, undefined, 1),
    );
  }
  const noise = new Uint8Array(MIB);
  for (let at = 0; at < files; at++) {
    using file = Deno.openSync(`${folder}/vaults/v/files/i/f${at}`, { write: true, create: true });
    for (let left = fileSize; left > 0; left -= MIB) {
      for (let part = 0; part < MIB; part += 65_536) {
        crypto.getRandomValues(noise.subarray(part, part + 65_536));
      }
      file.writeSync(noise);
    }
  }
}

async function stock(folder: string, recipient: string): Promise<number> {
  await Deno.remove(`${folder}/stock.age`).catch(() => {});
  const script =
    `tar -C ${folder}/in -c . | zstd -3 -q -c | age -r ${recipient} | tee >(sha256sum > ${folder}/sum) > ${folder}/stock.age`;
  const start = performance.now();
  const { success, stderr } = await new Deno.Command("bash", { args: ["-o", "pipefail", "-c", script] })
    .output();
  if (!success) throw new Error(`the stock programs failed: ${new TextDecoder().decode(stderr)}`);
  const seconds = (performance.now() - start) / 1000;
  await Deno.remove(`${folder}/stock.age`);
  return seconds;
}

async function vaultferry(
  folder: string,
  recipient: string,
  flags: string[],
): Promise<{ seconds: number; peak: number }> {
  const child = new URL("chain_child.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", ...flags, child, `${folder}/in`, recipient, `${folder}/out`],
  }).output();
  await Deno.remove(`${folder}/out`, { recursive: true });
  try {
    return JSON.parse(new TextDecoder().decode(stdout));
  } catch {
    throw new Error(`our side failed: ${new TextDecoder().decode(stderr)}`);
  }
}
