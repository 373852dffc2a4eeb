/**
 * What reading ahead gains, beside the same backup with one call of 1Password's core after the other. How far away
 * 1Password is decides: near by, the core is the bottleneck; 30 ms away, the waiting is.
 */
import { measureBackup, type Measured, MIB } from "./backup.ts";

interface Case {
  latencyMs: number;
  /** Reading ahead must take at most this share of the time. */
  most: number;
}

const ITEMS = 20_000;
const FILES = 200;
const CASES: Case[] = [{ latencyMs: 0, most: 1.1 }, { latencyMs: 30, most: 0.75 }];

/** Peak memory, in MiB; of whichever is higher. */
const BOUND = 320;

/** Prints two rows a case; returns how many bounds did not hold. */
export async function benchAhead(wanted: (name: string) => boolean): Promise<number> {
  let exceeded = 0;
  for (const { latencyMs, most } of CASES) {
    const name = `ahead: 20,000 items + 200 x 64 KiB, ${latencyMs} ms`;
    if (!wanted(name)) continue;
    const one = {
      source: "onepassword-sdk" as const,
      items: ITEMS,
      files: FILES,
      fileSize: MIB / 16,
      latencyMs,
    };
    const alone = await measureBackup({ ...one, oneAtATime: true });
    const ahead = await measureBackup(one);
    const ratio = ahead.seconds / alone.seconds;
    const holds = ratio <= most && ahead.peak / MIB <= BOUND && ahead.requests === alone.requests;
    if (!holds) exceeded++;
    console.log(`${name}\n  one at a time: ${told(alone)}\n  ahead:         ${told(ahead)}`);
    console.log(
      `  ${ratio.toFixed(2)} of the time (at most ${most}), peak at most ${BOUND} MiB  ${
        holds ? "holds" : "EXCEEDED"
      }`,
    );
  }
  return exceeded;
}

function told({ seconds, peak, requests }: Measured): string {
  const rate = (ITEMS / seconds).toFixed(0);
  return `${seconds.toFixed(1)} s, ${rate} items/s, ${requests} requests, peak ${
    (peak / MIB).toFixed(0)
  } MiB`;
}
