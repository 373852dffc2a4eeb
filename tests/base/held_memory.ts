/**
 * What a process holds, without the garbage it has not yet collected: when V8 collects depends on all that has run in
 * the process before, so that a bound on what merely lies about would fail by chance.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes that are in use now, of V8's heap and of buffers beside it. Collects garbage first: some 10 to 100 ms. */
export function heldBytes(): number {
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
