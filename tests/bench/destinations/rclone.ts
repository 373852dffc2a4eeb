/** Debian's rclone, doing the same. */
import { cpuSeconds, peakMemory, treeSeconds } from "./processes.ts";

/** Where rclone stores. */
export interface Remote {
  /** What configures the remote `x`. */
  env: Record<string, string>;
  /** `x:` and the folder that everything is stored in. */
  folder: string;
  /** Whether rclone by itself reads again what it has stored, to compare. */
  readsBack?: boolean;
}

export interface Stored {
  seconds: number;
  /** Of the processor: rclone's, and the server's. */
  cpu: number;
  server: number;
  /** Bytes of memory at the highest. */
  peak: number;
}

/** Stores a file with `rclone rcat`, looks that it is there, and removes it. `server` is the server's process. */
export async function rcat(
  remote: Remote,
  { path, size }: { path: string; size: number },
  server: number,
): Promise<Stored> {
  const at = `${remote.folder}/bench/theirs.bin`;
  const [start, cpu, serverCpu] = [performance.now(), cpuOfChildren(), treeSeconds(server)];
  // By way of a shell, which then becomes rclone: it reads the file itself.
  const child = new Deno.Command("bash", {
    args: ["-c", 'exec rclone rcat "$2" < "$1"', "bash", path, at],
    ...environment(remote),
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, peakMemory(child.pid)), 20);
  const { success } = await child.status;
  clearInterval(watch);
  const seconds = (performance.now() - start) / 1000;
  const stored = { seconds, cpu: cpuOfChildren() - cpu, server: treeSeconds(server) - serverCpu, peak };
  if (!success) throw new Error(`rclone rcat failed: ${await said}`);
  await said;
  const [found] = JSON.parse(await rclone(remote, "lsjson", at));
  if (found?.Size !== size) throw new Error(`rclone rcat stored ${found?.Size} bytes of ${size}`);
  await rclone(remote, "deletefile", at);
  return stored;
}

/** A password in the form that rclone wants in its configuration; no secret form. */
export async function obscured(password: string): Promise<string> {
  const child = new Deno.Command("rclone", {
    args: ["obscure", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = new Response(password).body!.pipeTo(child.stdin);
  const { success, stdout } = await child.output();
  await input;
  if (!success) throw new Error("rclone obscure failed");
  return new TextDecoder().decode(stdout).trim();
}

async function rclone(remote: Remote, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("rclone", { args, ...environment(remote) })
    .output();
  if (!success) throw new Error(`rclone ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Nothing of a person's own rclone counts, nor of what else is in the environment. */
function environment({ env }: Remote) {
  const named = Object.entries(env).map(([name, value]) => [`RCLONE_CONFIG_X_${name.toUpperCase()}`, value]);
  const path = Deno.env.get("PATH") ?? "";
  return { clearEnv: true, env: { PATH: path, RCLONE_CONFIG: "", ...Object.fromEntries(named) } };
}

/** Of those that have ended: no other one ends meanwhile. */
function cpuOfChildren(): number {
  return cpuSeconds("self", "with children") - cpuSeconds("self");
}
