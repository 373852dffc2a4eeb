/**
 * A large file to every kind of destination, beside Debian's `rclone rcat` to the same server in the same run. Each
 * side is a process of its own, and so is the server, a new one each time; all files are memory-backed. Ours counts from
 * opening the destination until the copy is published, rclone from its start to its end; reading back is counted apart.
 * The sides take turns; the better turn of each counts, and the most memory. On a disk rclone reads back by itself, and
 * so ours counts with reading back there.
 */
import { digestOf } from "../../../src/base/hash.ts";
import { missing } from "../../servers/child.ts";
import { line, MIB, runChild } from "../backup.ts";
import type { Done, Order } from "./ours.ts";
import { rcat, type Stored } from "./rclone.ts";
import { SERVERS, type Ways } from "./servers.ts";

/** Our throughput is at least so many times rclone's. */
const LEAST = 0.9;

/** Peak memory of our process, in MiB. */
const BOUND = 220;

/** What can be measured: `destinations: NAME`. */
export const DESTINATIONS = Object.keys(SERVERS);

export interface Size {
  /** MiB of the file. */
  mib: number;
  /** Turns of each side. */
  rounds: number;
}

type Body = Order["body"];

/** Prints a row a destination; returns how many bounds did not hold. */
export async function benchDestinations({ mib, rounds }: Size, wanted: (name: string) => boolean) {
  const chosen = DESTINATIONS.filter((name) => wanted(`destinations: ${name}`));
  if (chosen.length === 0) return 0;
  const none = await missing("rclone", "version");
  if (none !== undefined) throw new Error(none);
  const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "vaultferry-bench-" });
  let exceeded = 0;
  try {
    await Deno.chmod(folder, 0o711); // a server may run as another user
    const body = await fill(`${folder}/body`, mib);
    console.log(
      `destinations: ${mib} MiB, ours and rclone in turn, both to the same server; the better of ${rounds} turns
` +
        "(cpu s: the processor's seconds of us, of rclone, and of the server with us and with rclone;\n" +
        " local: rclone by itself reads back what it has stored, so ours counts with reading back)",
    );
    console.log(row("", ...HEAD));
    for (const name of chosen) {
      const { told, holds } = judge(name, mib, await measure(name, body, rounds, folder));
      if (!holds) exceeded++;
      console.log(told);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return exceeded;
}

interface Turns {
  ours: Done[];
  theirs: Stored[];
}

async function measure(name: string, body: Body, rounds: number, folder: string): Promise<Turns> {
  const turns: Turns = { ours: [], theirs: [] };
  // Each turn has a server of its own: one that has held a file before is slower or faster by what it does with memory.
  const sides = [
    async ({ ways: { ours, theirs }, pid }: ServerProcess) => {
      const order: Order = { type: name, config: ours, key: "bench/ours.bin", body, server: pid };
      await Deno.writeTextFile(`${folder}/order`, JSON.stringify(order));
      const done: Done = await runChild("destinations/ours.ts", [`${folder}/order`]);
      turns.ours.push(theirs.readsBack ? { ...done, seconds: done.seconds + done.readSeconds } : done);
    },
    async ({ ways, pid }: ServerProcess) => void turns.theirs.push(await rcat(ways.theirs, body, pid)),
  ];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await using server = await ServerProcess.start(name, folder);
      await side(server);
    }
  }
  return turns;
}

const HEAD = ["MiB/s", "rclone", "ratio", `>= ${LEAST}`, "read back", "peak MiB", `<= ${BOUND}`, "rclone"]
  .concat("cpu s", "rclone", "server", "(rclone)");

function judge(name: string, mib: number, { ours, theirs }: Turns): { told: string; holds: boolean } {
  const mine = fastest(ours), his = fastest(theirs);
  const ratio = his.seconds / mine.seconds, peak = most(ours) / MIB;
  const fast = ratio >= LEAST, small = peak <= BOUND;
  const rate = (seconds: number) => (mib / seconds).toFixed(0);
  const told = row(
    name,
    rate(mine.seconds),
    rate(his.seconds),
    `${ratio.toFixed(2)}x`,
    verdict(fast),
    rate(Math.min(...ours.map(({ readSeconds }) => readSeconds))),
    peak.toFixed(0),
    verdict(small),
    (most(theirs) / MIB).toFixed(0),
    ...[mine.cpu, his.cpu, mine.server, his.server].map((seconds) => seconds.toFixed(2)),
  );
  return { told, holds: fast && small };
}

function verdict(holds: boolean): string {
  return holds ? "holds" : "EXCEEDED";
}

function fastest<Side extends { seconds: number }>(turns: Side[]): Side {
  return turns.reduce((best, one) => one.seconds < best.seconds ? one : best);
}

function most(turns: { peak: number }[]): number {
  return Math.max(...turns.map(({ peak }) => peak));
}

function row(name: string, ...cells: string[]): string {
  return name.padEnd(12) + cells.map((cell) => cell.padStart(10)).join("");
}

/** Writes bytes that do not compress. */
async function fill(path: string, mib: number): Promise<Body> {
  const piece = new Uint8Array(65_536);
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let left = mib * MIB; left > 0; left -= piece.length) {
    file.writeSync(crypto.getRandomValues(piece));
  }
  return { path, ...await digestOf((await Deno.open(path)).readable) };
}

/** A server in a process of its own. */
class ServerProcess implements AsyncDisposable {
  private constructor(
    readonly ways: Ways,
    readonly child: Deno.ChildProcess,
    readonly said: ReadableStreamDefaultReader<string>,
  ) {}

  /** What it stores lies in a folder below `folder`. */
  static async start(name: string, folder: string): Promise<ServerProcess> {
    const module = new URL("server_process.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", module, name],
      env: { TMPDIR: folder },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    return new ServerProcess(JSON.parse(await line(said)), child, said);
  }

  get pid(): number {
    return this.child.pid;
  }

  async [Symbol.asyncDispose]() {
    await this.child.stdin.close();
    await this.child.status;
    await this.said.cancel();
  }
}
