/** How long the binary takes to print its help, beside a compiled program that does nothing. */
import { binary, emptyProgram } from "../binary/binary.ts";
import { run } from "../binary/place.ts";

const NAME = "start: --help of the binary";

/** At most so many times as long as the empty program. */
const MOST = 1.6;

/** Prints a row; returns how many bounds did not hold. */
export async function benchStart(wanted: (name: string) => boolean): Promise<number> {
  if (!wanted(NAME)) return 0;
  const vaultferry = new Stopwatch(await binary(), "--help");
  const nothing = new Stopwatch(await emptyProgram());
  // In turn, so that a busy machine slows both; the shortest is what it would be on an idle one.
  for (let round = 0; round < 150; round++) {
    await vaultferry.measure();
    await nothing.measure();
  }
  const ratio = vaultferry.shortest / nothing.shortest;
  console.log(
    `${NAME.padEnd(36)} ${vaultferry.shortest.toFixed(1)} ms, an empty program ${
      nothing.shortest.toFixed(1)
    } ms, ` +
      `${ratio.toFixed(2)}x (at most ${MOST})  ${ratio <= MOST ? "holds" : "EXCEEDED"}`,
  );
  return ratio <= MOST ? 0 : 1;
}

class Stopwatch {
  readonly #args: string[];
  /** Milliseconds. */
  shortest = Infinity;

  constructor(readonly program: string, ...args: string[]) {
    this.#args = args;
  }

  async measure(): Promise<void> {
    const start = performance.now();
    await run(this.program, this.#args);
    this.shortest = Math.min(this.shortest, performance.now() - start);
  }
}
