import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { concat } from "../../../../src/base/bytes.ts";
import type { Socket } from "../../../../src/base/http/contract.ts";

/** A connection of the World as a stream of Node's; `moved` is told of every byte. */
export function duplexOf(socket: Socket, moved: (received?: Uint8Array) => void = () => {}): Duplex {
  return new Duplex({
    // Its end in one direction is its end: nobody speaks on after the other side has closed.
    allowHalfOpen: false,
    read() {
      socket.read().then((bytes) => {
        if (bytes) moved(bytes);
        this.push(bytes === undefined ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      }, (error) => this.destroy(error));
    },
    // Whatever has come together meanwhile leaves at once.
    writev(chunks, done) {
      socket.write(concat(chunks.map(({ chunk }) => chunk as Uint8Array))).then(() => {
        moved();
        done();
      }, done);
    },
    final(done) {
      done();
      this.destroy();
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
}
