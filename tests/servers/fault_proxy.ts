/**
 * A network that misbehaves: a proxy for TCP in this process that cuts, stalls or slows down the connections to a
 * server, whatever they speak.
 *
 * Written with Node's sockets, because a reset cannot be sent with Deno's.
 */
import net from "node:net";
import type { NetworkFault, Strike } from "../../src/destination/conformance.ts";

type Way = "up" | "down";

export class FaultProxy implements AsyncDisposable {
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  #rule: Rule | undefined;

  private constructor(server: net.Server, readonly target: number) {
    this.#server = server;
    server.on("connection", (client: net.Socket) => {
      this.connections++;
      const pair = new Pair(client, target, this.#rule);
      this.#pairs.add(pair);
      client.once("close", () => this.#pairs.delete(pair));
    });
  }

  /** Starts one in front of a port of this machine. */
  static async start(target: number): Promise<FaultProxy> {
    // Half-open: an end of one direction must not end the other.
    const server = net.createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new FaultProxy(server, target);
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** Something is wrong with every connection that is accepted until the strike is disposed of; those end with it. */
  strike(fault: NetworkFault): Strike {
    if (this.#rule) throw new Error("the proxy has a fault already");
    const rule = this.#rule = new Rule(fault);
    return {
      times: () => rule.struck,
      [Symbol.asyncDispose]: () => {
        this.#rule = undefined;
        for (const pair of this.#pairs) if (pair.rule === rule) pair.end("rst");
        return Promise.resolve();
      },
    };
  }

  async [Symbol.asyncDispose]() {
    for (const pair of this.#pairs) pair.end("rst");
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A fault and how many connections it has hit. */
class Rule {
  struck = 0;

  constructor(readonly fault: NetworkFault) {}

  /** Says that it hits a connection; false when it has hit enough of them. */
  hit(): boolean {
    if (this.fault.kind === "cut" && this.struck >= this.fault.connections) return false;
    this.struck++;
    return true;
  }
}

/** A connection and its other half. */
class Pair {
  readonly #upstream: net.Socket;
  readonly #passed = { up: 0, down: 0 };
  readonly #begun = performance.now();
  readonly #waits: Partial<Record<Way, ReturnType<typeof setTimeout>>> = {};
  #hit = false;
  #spared = false;
  #ended = false;

  constructor(readonly client: net.Socket, target: number, readonly rule: Rule | undefined) {
    this.#upstream = net.connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    for (const socket of [client, this.#upstream]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.end("rst"));
    }
    this.#carry(client, this.#upstream, "up");
    this.#carry(this.#upstream, client, "down");
    // Nothing needs to pass for a connection to end at once.
    const fault = rule?.fault;
    if (fault?.kind === "cut" && fault.way === "up" && fault.after === 0) this.#strike();
  }

  end(how: "fin" | "rst"): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const wait of Object.values(this.#waits)) clearTimeout(wait);
    this.#upstream.destroy();
    if (how === "rst") this.client.resetAndDestroy();
    else this.client.end(() => this.client.destroy());
  }

  #carry(from: net.Socket, to: net.Socket, way: Way): void {
    from.on("data", (bytes: Uint8Array) => this.#pass(bytes, from, to, way));
    from.on("end", () => {
      if (!this.#hit || this.rule?.fault.kind === "throttle") to.end();
    });
    from.on("close", () => {
      if (from === this.client || !to.writableEnded) this.end("rst");
    });
  }

  #pass(bytes: Uint8Array, from: net.Socket, to: net.Socket, way: Way): void {
    const fault = this.rule?.fault;
    const cuts = fault?.kind === "cut" && this.#hit;
    if (this.#ended || cuts) return;
    const room = fault && fault.kind !== "throttle" && fault.way === way && !this.#spared
      ? fault.after - this.#passed[way]
      : Infinity;
    const part = bytes.subarray(0, Math.max(0, room));
    this.#send(part, from, to, way);
    if (bytes.length > room || (fault?.kind === "cut" && bytes.length === room)) {
      if (this.#strike()) return;
      this.#spared = true;
      this.#send(bytes.subarray(part.length), from, to, way);
    }
    if (fault?.kind === "throttle") this.#slow(from, way, fault.bytesPerSecond);
  }

  #send(bytes: Uint8Array, from: net.Socket, to: net.Socket, way: Way): void {
    this.#passed[way] += bytes.length;
    if (bytes.length === 0 || to.write(bytes)) return;
    from.pause();
    to.once("drain", () => {
      if (!this.#hit || this.rule?.fault.kind === "throttle") from.resume();
    });
  }

  /** False when the rule has hit enough connections already. */
  #strike(): boolean {
    const { rule } = this;
    if (!rule || (!this.#hit && !rule.hit())) return false;
    this.#hit = true;
    const { fault } = rule;
    if (fault.kind === "cut") {
      // What was let through is to arrive first.
      this.#waits[fault.way] = setTimeout(() => this.end(fault.how), 10);
    } else if (fault.kind === "stall") {
      // What stands still takes nothing more either: the sender's buffers fill.
      (fault.way === "up" ? this.client : this.#upstream).pause();
    }
    return true;
  }

  #slow(from: net.Socket, way: Way, bytesPerSecond: number): void {
    if (!this.#hit) this.#hit = this.rule!.hit();
    const due = this.#passed[way] / bytesPerSecond * 1000 - (performance.now() - this.#begun);
    if (due < 5) return;
    from.pause();
    this.#waits[way] = setTimeout(() => from.resume(), due);
  }
}
