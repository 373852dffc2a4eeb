/**
 * Stands between sshd and Debian's sftp-server, where requests and answers are in clear, and does wrong what it finds
 * named in a folder: `lose-answer`, `truncate` (each once), `full`. Appends a byte to `struck` whenever it has.
 */
const folder = Deno.args[0]!;
const server = new Deno.Command("/usr/lib/openssh/sftp-server", {
  stdin: "piped",
  stdout: "piped",
  stderr: "null",
}).spawn();
const toServer = server.stdin.getWriter();
const toClient = Deno.stdout.writable.getWriter();
/** The names that requests on their way are to publish, by their numbers. */
const publishing = new Map<number, string>();

await Promise.all([fromClient(), fromServer()]);
Deno.exit(0);

async function fromClient(): Promise<void> {
  for await (const packet of packets(Deno.stdin.readable)) {
    const request = new Request(packet);
    if (wanted("full") && await refuse(request)) continue;
    const name = request.publishes();
    if (name !== undefined) publishing.set(request.id, name);
    await toServer.write(packet);
  }
  await toServer.close().catch(() => {}); // it may have ended before
}

async function fromServer(): Promise<void> {
  for await (const packet of packets(server.stdout)) {
    const { id, view, type } = new Request(packet);
    const name = type === 101 ? publishing.get(id) : undefined;
    const done = name !== undefined && view.getUint32(9) === 0;
    if (name !== undefined) publishing.delete(id);
    if (done && once("lose-answer")) Deno.exit(1);
    if (done && once("truncate")) Deno.truncateSync(name!, Math.max(0, Deno.statSync(name!).size - 1));
    await toClient.write(packet);
  }
}

/** As a server on a full disk: everything that writes fails, and so the disk says of itself. */
async function refuse(request: Request): Promise<boolean> {
  if (request.type === 3 && (request.numberAfter(1) & 8) !== 0) strike();
  const { id } = request;
  if (request.type === 6) {
    await toClient.write(packet(101, id, 4, ...text("Failure"), ...text("")));
    return true;
  }
  if (request.type === 200 && request.string(0) === "statvfs@openssh.com") {
    const numbers = [4096, 4096, 1000, 0, 0, 1000, 100, 100, 0, 0, 255];
    await toClient.write(packet(201, id, ...numbers.flatMap((number) => [0, number])));
    return true;
  }
  return false;
}

function wanted(name: string): boolean {
  try {
    return Deno.statSync(`${folder}/${name}`).isFile;
  } catch {
    return false; // it is not there
  }
}

/** Whether a fault is wanted that has not struck yet. */
function once(name: string): boolean {
  if (!wanted(name)) return false;
  Deno.removeSync(`${folder}/${name}`);
  strike();
  return true;
}

function strike(): void {
  Deno.writeTextFileSync(`${folder}/struck`, "x", { append: true });
}

/** A packet of SFTP, with its length before it. */
class Request {
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
