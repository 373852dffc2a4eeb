import { AppError, throwIfCancelled } from "../../../../src/base/errors.ts";
import { peerName } from "../../../../src/base/network_errors.ts";
import type { World } from "../../../../src/base/world.ts";
import { Watchdog } from "../../../../src/destination/watchdog.ts";
import type { HostKeys } from "../hosts/host_keys.ts";
import { duplexOf } from "./duplex.ts";
import { connectError } from "./refusals.ts";
import { Session } from "./session.ts";
import { type Credentials, SignIn } from "./sign_in.ts";
import ssh2, { QUICK } from "./library.ts";
// @ts-types="./ssh2.d.ts"
import type { Sftp, Ssh2Error } from "ssh2";
import type { Duplex } from "node:stream";

/** Where to, and as whom. */
export interface Way {
  world: World;
  host: string;
  port: number;
  credentials: Credentials;
  hosts: HostKeys;
}

/** Milliseconds between signs of life while nobody asks for anything: routers forget connections that are silent. */
const KEEP_ALIVE = 30_000;

/**
 * Connects, makes sure that it is the right server, signs in and begins SFTP.
 *
 * @throws `misconfigured` when it is not known to be the right server, or no SFTP; `denied`; `transient`
 */
export async function connect(way: Way, signal: AbortSignal): Promise<Session> {
  const { world, host, port } = way;
  throwIfCancelled(signal);
  const dog = new Watchdog({ clock: world.clock, signal });
  let stream: Duplex | undefined;
  try {
    const socket = await dog.guard(world.connect({ host, port }, dog.signal));
    let greeting = "";
    stream = duplexOf(socket, (received) => {
      dog.progress();
      if (received && greeting.length < 256) greeting += new TextDecoder().decode(received.subarray(0, 256));
    });
    return await dog.guard(handshake(way, stream, dog, () => greeting));
  } catch (error) {
    dog[Symbol.dispose]();
    stream?.destroy();
    throw error;
  }
}

function handshake(
  { world, host, port, credentials, hosts }: Way,
  stream: Duplex,
  dog: Watchdog,
  greeting: () => string,
): Promise<Session> {
  const client = new ssh2.Client(), peer = peerName(host, port);
  const signIn = new SignIn(credentials, world, dog.signal);
  let refused: AppError | undefined;
  return new Promise<Session>((resolve, reject) => {
    const fail = (cause?: Ssh2Error) => {
      const attempt = {
        peer,
        username: credentials.username,
        greeting: greeting(),
        offered: signIn.offered,
        agentProblem: signIn.agent?.problem,
      };
      reject(refused ?? connectError(cause, attempt));
    };
    client.on("error", (error) => {
      // A key that an agent will not sign with; the library goes on to the next.
      if (error.level !== "agent") fail(error);
    });
    client.on("close", () => fail());
    client.on("change password", () => fail(new Error("password change")));
    client.on("ready", () => {
      client.sftp((error, sftp?: Sftp) => {
        if (error || !sftp) return fail(error ?? undefined);
        resolve(new Session({ sftp, stream, dog, peer, end: () => client.end() }));
      });
    });
    client.connect({
      sock: stream,
      username: credentials.username,
      authHandler: signIn.next,
      hostVerifier(key) {
        refused = hosts.refusal(key);
        return refused === undefined;
      },
      // What is sent is encrypted already, and does not get smaller.
      algorithms: {
        serverHostKey: hosts.algorithms(),
        compress: ["none"],
        cipher: { remove: QUICK, prepend: QUICK },
        // The runtime knows this curve for signatures only.
        kex: { remove: ["ecdh-sha2-nistp521"] },
      },
      // Ours is the watchdog.
      readyTimeout: 0,
      keepaliveInterval: KEEP_ALIVE,
      keepaliveCountMax: 3,
    });
  });
}
