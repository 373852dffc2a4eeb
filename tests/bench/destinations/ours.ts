/**
 * Stores a file at a destination and reads it back, as a backup does it. The one argument is the path of an
 * {@linkcode Order} in JSON; prints a {@linkcode Done}.
 */
import { registry } from "../../../plugins/mod.ts";
import { denoWorld } from "../../../src/base/deno_world.ts";
import { digestOf } from "../../../src/base/hash.ts";
import { lazily } from "../../../src/base/relay.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { resolveSecret } from "../../../src/host/secrets.ts";
import { cpuSeconds, peakMemory, treeSeconds } from "./processes.ts";

/** What is to be stored, and where. */
export interface Order {
  type: string;
  /** As in the config's part for a destination; its secrets are references. */
  config: unknown;
  key: string;
  body: { path: string; size: number; sha256: string };
  /** The server's process. */
  server: number;
}

/** What it took. */
export interface Done {
  /** To open the destination and store the file. */
  seconds: number;
  /** Of the processor, for the same: ours, and the server's. */
  cpu: number;
  server: number;
  /** To read it back. */
  readSeconds: number;
  /** Bytes of memory at the highest, over all. */
  peak: number;
}

const world = denoWorld();
const { signal } = new AbortController();

async function carryOut({ type, config, key, body: { path, size, sha256 }, server }: Order): Promise<Done> {
  const plugin = registry.destinations.find((one) => one.type === type);
  if (!plugin) throw new Error(`there is no destination of type "${type}"`);
  const warn = (message: string) => {
    throw new Error(`a warning that nobody expects: ${message}`);
  };
  const body: Resendable = { size, sha256, open: () => lazily(() => world.files.stream(path)) };
  const [start, cpu, serverCpu] = [performance.now(), cpuSeconds("self"), treeSeconds(server)];
  await using destination = await plugin.open(type, plugin.config.parse(config), {
    world,
    warn,
    secret: (reference, signal) => resolveSecret(world, reference, warn, signal),
  }, signal);
  await destination.put(key, body, signal);
  const seconds = since(start);
  const done = { seconds, cpu: cpuSeconds("self") - cpu, server: treeSeconds(server) - serverCpu };
  const reading = performance.now();
  const found = await digestOf(await destination.get(key, undefined, signal));
  const readSeconds = since(reading);
  if (found.size !== size || found.sha256 !== sha256) throw new Error("what came back is not what was sent");
  await destination.remove(key, signal);
  return { ...done, readSeconds, peak: peakMemory("self") };
}

function since(start: number): number {
  return (performance.now() - start) / 1000;
}

if (import.meta.main) {
  const done = await carryOut(JSON.parse(await Deno.readTextFile(Deno.args[0]!)));
  console.log(JSON.stringify(done));
  Deno.exit(0);
}
