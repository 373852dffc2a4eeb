import assert from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { HttpConnections } from "../../src/base/http/connections.ts";
import type { Socket } from "../../src/base/http/contract.ts";
import { heldBytes } from "./held_memory.ts";

const MIB = 1024 * 1024;

Deno.test("what was read of an answer is let go of while the rest is read", async () => {
  const piece = 4 * MIB, size = 768 * MIB;
  let left = size, begun = false, most = 0;
  const socket: Socket = {
    read() {
      if (!begun) {
        begun = true;
        return Promise.resolve(utf8(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`));
      }
      left -= piece;
      return Promise.resolve(new Uint8Array(piece));
    },
    write: () => Promise.resolve(),
    close: () => {},
  };
  using http = new HttpConnections({}, () => Promise.resolve(socket), () => undefined);
  const [held, before] = [heldBytes(), Deno.memoryUsage().external];
  const { body } = await http.fetch("http://made.up/");
  let came = 0, kept = Infinity;
  for await (const bytes of body!) {
    came += bytes.length;
    most = Math.max(most, Deno.memoryUsage().external - before);
    // Once, late: it collects, and what lies about is to be seen as well.
    if (came === size - piece) kept = heldBytes() - held;
  }
  assert.equal(came, size);
  assert.ok(most < size / 2, `${Math.round(most / MIB)} MiB were kept of ${size / MIB}`);
  assert.ok(kept < 32 * MIB, `${Math.round(kept / MIB)} MiB were held of ${size / MIB}`);
});
