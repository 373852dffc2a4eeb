import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Socket } from "../../../../src/base/http/contract.ts";
import { Outbox } from "./outbox.ts";

/** A connection of the World as a stream of Node's; `moved` is told of every byte. */
export function duplexOf(socket: Socket, moved: (received?: Uint8Array) => void = () => {}): Duplex {
  const send = async (bytes: Uint8Array) => {
    await socket.write(bytes);
    moved();
  };
  const outbox = new Outbox(send, (error) => duplex.destroy(error as Error));
  const duplex = new Duplex({
    // Its end in one direction is its end: nobody speaks on after the other side has closed.
    allowHalfOpen: false,
    read() {
      socket.read().then((bytes) => {
        if (bytes) moved(bytes);
        this.push(bytes === undefined ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      }, (error) => this.destroy(error));
    },
    write(chunk: Uint8Array, _encoding, done) {
      outbox.add(chunk, done);
    },
    final(done) {
      outbox.flush(() => {
        done();
        this.destroy();
      });
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  return duplex;
}
