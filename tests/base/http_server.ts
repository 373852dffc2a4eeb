/** A server that says what a test wants it to say, byte by byte. */
import net from "node:net";

/** What came on one connection. */
export interface Heard {
  /** Request line and headers. */
  head: string;
  /** Bytes of the body so far. */
  body: number;
}

export class RawServer implements AsyncDisposable {
  connections = 0;
  readonly heard: Heard[] = [];
  readonly #server = net.createServer({ allowHalfOpen: true });
  readonly #sockets = new Set<net.Socket>();

  /** `answer` is called once for each request, as soon as its head and `after` bytes of its body have come. */
  static async start(
    answer: (socket: net.Socket, heard: Heard) => void,
    after: (heard: Heard) => number = lengthOf,
  ): Promise<RawServer> {
    const raw = new RawServer();
    raw.#server.on("connection", (socket: net.Socket) => {
      raw.connections++;
      raw.#sockets.add(socket);
      let head = "", now: Heard | undefined, answered = false;
      socket.on("error", () => {});
      socket.on("data", (bytes: Uint8Array) => {
        if (!now) {
          head += Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
          const end = head.indexOf("\r\n\r\n");
          if (end < 0) return;
          now = { head: head.slice(0, end), body: head.length - end - 4 };
          raw.heard.push(now);
        } else now.body += bytes.length;
        if (!answered && now.body >= after(now)) {
          answered = true;
          answer(socket, now);
        }
        if (answered && now.body >= lengthOf(now)) {
          head = "";
          now = undefined;
          answered = false;
        }
      });
    });
    await new Promise<void>((resolve) => raw.#server.listen(0, "127.0.0.1", resolve));
    return raw;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  async [Symbol.asyncDispose]() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function lengthOf({ head }: Heard): number {
  return Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
}
