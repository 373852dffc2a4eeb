/** What may answer in place of an SSH server: one that has no time, or a web page. */
import net from "node:net";
import type { Strike } from "../../../src/destination/conformance.ts";

const ANSWERS = {
  // What OpenSSH says before it closes.
  busy: "Exceeded MaxStartups\r\n",
  portal: "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html><body>Please sign in</body></html>\r\n",
};

/** Passes connections on to the port of this machine that `target` gives at the time, unless it is told otherwise. */
export class Gate implements AsyncDisposable {
  readonly #sockets = new Set<net.Socket>();
  #answer: { text: string; left: number; struck: number } | undefined;

  private constructor(readonly server: net.Server, readonly target: () => number) {
    server.on("connection", (client: net.Socket) => this.#accept(client));
  }

  static async start(target: () => number): Promise<Gate> {
    const server = net.createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Gate(server, target);
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** The next `times` connections get an answer from here, and nothing else. */
  strike(kind: keyof typeof ANSWERS, times = Infinity): Strike {
    const answer = this.#answer = { text: ANSWERS[kind], left: times, struck: 0 };
    return {
      times: () => answer.struck,
      [Symbol.asyncDispose]: () => Promise.resolve(void (this.#answer = undefined)),
    };
  }

  async [Symbol.asyncDispose]() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #accept(client: net.Socket): void {
    this.#keep(client);
    const answer = this.#answer;
    if (answer && answer.left > 0) {
      answer.left--;
      answer.struck++;
      return void client.end(answer.text);
    }
    const server = net.connect({ port: this.target(), host: "127.0.0.1" });
    this.#keep(server);
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  }

  #keep(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // the other side is told by the close
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
