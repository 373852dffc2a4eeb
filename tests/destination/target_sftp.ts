import assert from "node:assert/strict";
import { dirname } from "node:path";
import { sftp } from "../../plugins/destinations/sftp/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type { Clock } from "../../src/base/world.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { SILENCE } from "../../src/destination/watchdog.ts";
import { Secret } from "../../src/base/secret.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { freePort } from "../servers/child.ts";
import { Gate } from "../servers/openssh/gate.ts";
import { Meddler, type Meddling } from "../servers/openssh/meddler.ts";
import { keygen, OpenSsh, opensshMissing } from "../servers/openssh/server.ts";
import type { Target } from "./target.ts";

/** OpenSSH: destination → bad network → somebody else at the door → sshd → a meddler → sftp-server. */
export const sftpFolder: Target = {
  name: "sftp",
  unavailable: await opensshMissing(),
  untidy: "ssh2 does not let go of the decipher of a packet that was cut off",
  lacks: { redirect: "SSH has no redirects: a server cannot lead anybody elsewhere" },
  async start() {
    const meddler = new Meddler();
    const second = { port: freePort(), command: meddler.command };
    const server = await OpenSsh.start({ second });
    // The meddler only where it is wanted: all else is tried against what people have.
    const gate = await Gate.start(() => meddler.meddles ? second.port : server.port);
    const proxy = await FaultProxy.start(gate.port);
    await keygen(`${server.folder}/stranger`, "ed25519");
    const open = (clock = denoWorld().clock, path = server.at(), key = "key") =>
      sftp.open(
        "sftp",
        {
          host: "127.0.0.1",
          port: proxy.port,
          username: server.username,
          path,
          privateKey: "env:KEY",
          knownHosts: server.knownHost(proxy.port),
        },
        {
          world: { ...denoWorld(), clock },
          secret: async () => new Secret(await Deno.readTextFile(`${server.folder}/${key}`)),
          warn: (message: string) => assert.fail(message),
        },
        new AbortController().signal,
      );
    // To let somebody in, it starts several programs one after the other: how long that takes here and now is no silence.
    let enough = 1000 + 4 * await timeOf(await open());
    const meddle = async (what: Meddling): Promise<Strike> => {
      const strike = meddler.strike(what);
      enough = 1000 + 4 * await timeOf(await open());
      return strike;
    };
    return {
      prefix: "conformance/",
      block: 64 * 31 * 1024,
      secrets: [server.key().split("\n").slice(1, 3).join("\n")],
      open: (clock) => open(clock && patient(clock, enough)),
      faults: {
        wrongCredentials: () => open(undefined, undefined, "stranger"),
        missingPlace: () => open(undefined, server.at("absent")),
        network: (fault) => Promise.resolve(proxy.strike(fault)),
        busy: (times) => Promise.resolve(gate.strike("busy", times)),
        portal: () => Promise.resolve(gate.strike("portal")),
        loseAnswer: () => meddle("lose-answer"),
        truncate: () => meddle("truncate"),
        full: () => meddle("full"),
        async plant(name) {
          const path = server.at(name);
          await Deno.mkdir(dirname(path), { recursive: true });
          await Deno.writeTextFile(path, "planted");
          const intact = () => Deno.readTextFile(path).then((text) => text === "planted", () => false);
          return { intact };
        },
      },
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await gate[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
        await meddler[Symbol.asyncDispose]();
      },
    };
  },
};

/** Milliseconds that the first call takes. */
async function timeOf(opened: Destination): Promise<number> {
  await using destination = opened;
  const from = performance.now();
  for await (const _ of destination.list("", new AbortController().signal)) break;
  return performance.now() - from;
}

/** A hurried clock on which a silence lasts `enough` milliseconds of ours, or longer. */
function patient(clock: Clock, enough: number): Clock {
  const slower = Math.max(1, clock.monotonic() / performance.now() * enough / SILENCE);
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() / slower,
    sleep: (ms, signal) => clock.sleep(ms * slower, signal),
  };
}
