/** What processes take, as Linux tells it. */

/** Linux counts in hundredths of a second. */
const TICKS = 100;

type Pid = number | "self";

/** Bytes of memory of a process at the highest so far; 0 when it has ended. */
export function peakMemory(pid: Pid): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kib ?? 0) * 1024;
}

/** Seconds of the processor that a process has had; with those of its children that it has waited for where asked. */
export function cpuSeconds(pid: Pid, which: "own" | "with children" = "own"): number {
  return secondsIn(fields(pid), which);
}

/** Seconds of the processor that a process and all below it have had, those that have ended included. */
export function treeSeconds(root: number): number {
  const all = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => pid > 0)
    .map((pid) => ({ pid, stat: fields(pid) }));
  const tree = new Set([root]);
  for (let before = 0; before < tree.size;) {
    before = tree.size;
    for (const { pid, stat } of all) if (tree.has(Number(stat[1]))) tree.add(pid);
  }
  return all.filter(({ pid }) => tree.has(pid))
    .reduce((sum, { stat }) => sum + secondsIn(stat, "with children"), 0);
}

function secondsIn(stat: string[], which: "own" | "with children"): number {
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat.slice(11, 15).map(Number);
  return (user + system + (which === "own" ? 0 : childUser + childSystem)) / TICKS;
}

/** The fields of `/proc/PID/stat` after the name, the state first; none when it has ended. */
function fields(pid: Pid): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text === "" ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // it has ended
  }
}
