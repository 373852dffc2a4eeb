/** A proxy as companies have it: the only way out, and the only one who can resolve names. */
export interface Proxy extends AsyncDisposable {
  url: string;
  /** Hosts with ports, one for each connection that was asked for. */
  asked: string[];
}

/** Starts one that leads every connection to a port of this machine, whatever the name. */
export function startProxy(port: number): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const open = new Set<Deno.Conn>();
  const done = (async () => {
    const connections: Promise<void>[] = [];
    for await (const client of listener) {
      open.add(client);
      connections.push(serve(client, port, asked, open).catch(() => {}));
    }
    await Promise.all(connections);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await done;
    },
  };
}

async function serve(client: Deno.Conn, port: number, asked: string[], open: Set<Deno.Conn>): Promise<void> {
  const head = await readHead(client);
  const [, host] = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
  if (host === undefined) {
    await client.write(
      new TextEncoder().encode("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"),
    );
    return close(client);
  }
  asked.push(host);
  const server = await Deno.connect({ hostname: "127.0.0.1", port });
  open.add(server);
  await client.write(new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"));
  await Promise.allSettled([
    client.readable.pipeTo(server.writable),
    server.readable.pipeTo(client.writable),
  ]);
  close(client);
  close(server);
}

/** Up to the empty line; a client that wants a tunnel sends nothing behind it yet. */
async function readHead(client: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const length = await client.read(buffer);
    if (length === null) break;
    head += new TextDecoder().decode(buffer.subarray(0, length));
  }
  return head;
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // closed already, by either side
  }
}
