/**
 * What stands between sshd and Debian's sftp-server, where requests and answers are in clear, and does wrong what it is
 * told to. It lives in the test's own process; sshd starts {@linkcode Meddler.command}, which only leads here.
 */
import type { Strike } from "../../../src/destination/conformance.ts";
import { SFTP_SERVER } from "./server.ts";

/** `lose-answer` and `truncate` strike once. */
export type Meddling = "lose-answer" | "truncate" | "full";

export class Meddler implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #running: Promise<void>;
  #fault: { what: Meddling; struck: number } | undefined;

  constructor() {
    this.#running = this.#accept();
  }

  /** A shell's command whose input and output are those of the server here. */
  get command(): string {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; exec 4<&0; (cat <&4 >&3; kill $$) & exec cat <&3'`;
  }

  get meddles(): boolean {
    return this.#fault !== undefined;
  }

  strike(what: Meddling): Strike {
    const fault = this.#fault = { what, struck: 0 };
    return {
      times: () => fault.struck,
      [Symbol.asyncDispose]: () => Promise.resolve(void (this.#fault = undefined)),
    };
  }

  async [Symbol.asyncDispose]() {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#running;
  }

  async #accept(): Promise<void> {
    const all: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) all.push(this.#serve(connection));
    } catch {
      // closed
    }
    await Promise.all(all);
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    const server = new Deno.Command(SFTP_SERVER, { stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
    const toServer = server.stdin.getWriter();
    const ways = [
      this.#fromClient(connection, toServer),
      this.#fromServer(server.stdout, connection).finally(() => close(connection)),
    ];
    await Promise.allSettled(ways);
    await server.status;
    this.#open.delete(connection);
  }

  /** The names that requests on their way are to publish, by their numbers. */
  readonly #publishing = new Map<number, string>();

  async #fromClient(connection: Deno.Conn, toServer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    try {
      for await (const packet of packets(connection.readable)) {
        const request = new Packet(packet);
        if (this.#fault?.what === "full" && await this.#refuse(request, connection)) continue;
        const name = request.publishes();
        if (name !== undefined) this.#publishing.set(request.id, name);
        await toServer.write(packet);
      }
    } finally {
      await toServer.close().catch(() => {}); // it may have ended before
    }
  }

  async #fromServer(answers: ReadableStream<Uint8Array>, connection: Deno.Conn): Promise<void> {
    for await (const packet of packets(answers)) {
      const { id, view, type } = new Packet(packet);
      const name = type === 101 ? this.#publishing.get(id) : undefined;
      const done = name !== undefined && view.getUint32(9) === 0;
      if (name !== undefined) this.#publishing.delete(id);
      if (done && this.#once("lose-answer")) return;
      if (done && this.#once("truncate")) Deno.truncateSync(name, Math.max(0, Deno.statSync(name).size - 1));
      await writeAll(connection, packet);
    }
  }

  /** As a server on a full disk: everything that writes fails, and so the disk says of itself. */
  async #refuse(request: Packet, connection: Deno.Conn): Promise<boolean> {
    const { id, type } = request;
    if (type === 3 && (request.numberAfter(1) & 8) !== 0) this.#fault!.struck++;
    if (type === 6) await writeAll(connection, packet(101, id, 4, ...text("Failure"), ...text("")));
    if (type === 200 && request.string(0) === "statvfs@openssh.com") {
      const numbers = [4096, 4096, 1000, 0, 0, 1000, 100, 100, 0, 0, 255];
      await writeAll(connection, packet(201, id, ...numbers.flatMap((number) => [0, number])));
      return true;
    }
    return type === 6;
  }

  /** Whether this is to be done wrong, and was not yet. */
  #once(what: Meddling): boolean {
    if (this.#fault?.what !== what || this.#fault.struck > 0) return false;
    this.#fault.struck++;
    return true;
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // closed already
  }
}

/** A packet of SFTP, with its length before it. */
class Packet {
  readonly view: DataView;
  constructor(readonly packet: Uint8Array) {
    this.view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  }
  get type(): number {
    return this.packet[4]!;
  }
  get id(): number {
    return this.view.getUint32(5);
  }
  /** The name that it gives to something: of a hard link, or of a rename. */
  publishes(): string | undefined {
    if (this.type === 18) return this.string(1);
    return this.type === 200 && this.string(0) === "hardlink@openssh.com" ? this.string(2) : undefined;
  }
  string(index: number): string {
    const at = this.#after(index);
    return new TextDecoder().decode(this.packet.subarray(at + 4, at + 4 + this.view.getUint32(at)));
  }
  /** The number behind so many strings. */
  numberAfter(strings: number): number {
    return this.view.getUint32(this.#after(strings));
  }
  #after(strings: number): number {
    let at = 9;
    for (let passed = 0; passed < strings; passed++) at += 4 + this.view.getUint32(at);
    return at;
  }
}

async function* packets(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for await (const bytes of stream) {
    const all = new Uint8Array(rest.length + bytes.length);
    all.set(rest);
    all.set(bytes, rest.length);
    let at = 0;
    for (;;) {
      if (all.length - at < 4) break;
      const length = 4 + new DataView(all.buffer, at).getUint32(0);
      if (all.length - at < length) break;
      yield all.slice(at, at + length);
      at += length;
    }
    rest = all.slice(at);
  }
}

function text(value: string): (number | Uint8Array)[] {
  const bytes = new TextEncoder().encode(value);
  return [bytes.length, bytes];
}

function packet(type: number, ...parts: (number | Uint8Array)[]): Uint8Array {
  const bytes = parts.flatMap((part) => {
    if (typeof part !== "number") return [...part];
    return [part >>> 24, part >>> 16 & 255, part >>> 8 & 255, part & 255];
  });
  const out = new Uint8Array(5 + bytes.length);
  new DataView(out.buffer).setUint32(0, 1 + bytes.length);
  out[4] = type;
  out.set(bytes, 5);
  return out;
}
