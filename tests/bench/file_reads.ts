/**
 * Files through the plugin beside `@1password/sdk`'s own wrapper: ours must take time in proportion to the size; the
 * wrapper's grows with more than its square.
 */
import { MIB, runChild, ServiceProcess } from "./backup.ts";

const SIZES = [4, 16, 47];
/** What the wrapper is asked for too: 16 MiB would take it 20 s. */
const WRAPPER_SIZES = [4, 8];

/** A MiB of the largest file may take so many times what one of the smallest takes. */
const MOST = 2;

/** Prints a row a size; returns how many bounds did not hold. */
export async function benchFileReads(wanted: (name: string) => boolean): Promise<number> {
  const name = "file reads: ours and the wrapper's";
  if (!wanted(name)) return 0;
  console.log(name);
  const perMib: number[] = [];
  for (const [reader, sizes] of [["plugin", SIZES], ["wrapper", WRAPPER_SIZES]] as const) {
    for (const size of sizes) {
      const seconds = await read(reader, size);
      if (reader === "plugin") perMib.push(seconds / size);
      console.log(
        `  ${reader.padEnd(8)} ${String(size).padStart(3)} MiB ${seconds.toFixed(2).padStart(7)} s`,
      );
    }
  }
  const ratio = perMib.at(-1)! / perMib[0]!;
  const holds = ratio <= MOST;
  console.log(
    `  a MiB of ${SIZES.at(-1)} takes ${ratio.toFixed(2)}x one of ${SIZES[0]} (at most ${MOST})  ` +
      (holds ? "holds" : "EXCEEDED"),
  );
  return holds ? 0 : 1;
}

async function read(reader: string, mib: number): Promise<number> {
  await using service = await ServiceProcess.start({ items: 1, files: 1, fileSize: mib * MIB });
  return (await runChild("file_reads_child.ts", [reader, service.token])).seconds;
}
