/**
 * The program that stands in for 1Password's `op`. It knows nothing: it passes its command line on to the test that
 * started the fake, and prints what it is told to print. Started by the wrapper that `wrapper.ts` writes, with the
 * fake's address before its own arguments.
 *
 * An answer is a row of frames: one byte of kind (1 standard output, 2 standard error, 3 exit code), four of length.
 *
 * @module
 */
const [address = "", ...argv] = Deno.args;

const variables = Object.fromEntries(
  Object.entries(Deno.env.toObject()).filter(([name]) => name.startsWith("OP_")),
);
const stdin = argv.includes("-") ? await new Response(Deno.stdin.readable).text() : null;
const response = await fetch(address, {
  method: "POST",
  body: JSON.stringify({ argv, variables, stdin, pid: Deno.pid }),
});

let waiting = new Uint8Array(0);
for await (const bytes of response.body!) {
  const both = new Uint8Array(waiting.length + bytes.length);
  both.set(waiting);
  both.set(bytes, waiting.length);
  waiting = both;
  for (let frame = next(); frame; frame = next()) obey(...frame);
}
Deno.exit(99); // the fake broke off: no test asks for that

function next(): [number, Uint8Array] | undefined {
  if (waiting.length < 5) return undefined;
  const length = new DataView(waiting.buffer, waiting.byteOffset).getUint32(1);
  if (waiting.length < 5 + length) return undefined;
  const frame: [number, Uint8Array] = [waiting[0]!, waiting.slice(5, 5 + length)];
  waiting = waiting.slice(5 + length);
  return frame;
}

function obey(kind: number, payload: Uint8Array): void {
  if (kind === 3) Deno.exit(payload[0]);
  const stream = kind === 1 ? Deno.stdout : Deno.stderr;
  for (let rest = payload; rest.length > 0;) rest = rest.subarray(stream.writeSync(rest));
}
