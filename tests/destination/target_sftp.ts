import assert from "node:assert/strict";
import { dirname } from "node:path";
import { sftp } from "../../plugins/destinations/sftp/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { Gate } from "../servers/openssh/gate.ts";
import { keygen, OpenSsh, opensshMissing, SFTP_SERVER } from "../servers/openssh/server.ts";
import type { Target } from "./target.ts";

const MEDDLER = new URL("../servers/openssh/meddler.ts", import.meta.url).pathname;

/** OpenSSH: destination → bad network → somebody else at the door → sshd → a meddler → sftp-server. */
export const sftpFolder: Target = {
  name: "sftp",
  unavailable: await opensshMissing(),
  lacks: { redirect: "SSH has no redirects: a server cannot lead anybody elsewhere" },
  async start() {
    const faults = await Deno.makeTempDir({ prefix: "vaultferry-sftp-faults-" });
    const meddler = `${Deno.execPath()} run --quiet --no-config --no-lock -A ${MEDDLER} ${faults}`;
    const server = await OpenSsh.start({
      // The meddler only where it is wanted: all else is tried against what people have.
      subsystem: `if [ -e ${faults}/meddle ]; then exec ${meddler}; else exec ${SFTP_SERVER}; fi`,
    });
    const gate = await Gate.start(server.port);
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
    const meddle = async (fault: string): Promise<Strike> => {
      for (const name of ["meddle", fault]) await Deno.writeTextFile(`${faults}/${name}`, "");
      await Deno.writeTextFile(`${faults}/struck`, "");
      return {
        times: () => Deno.statSync(`${faults}/struck`).size,
        async [Symbol.asyncDispose]() {
          for (const name of ["meddle", fault]) await Deno.remove(`${faults}/${name}`).catch(() => {});
        },
      };
    };
    return {
      prefix: "conformance/",
      block: 64 * 31 * 1024,
      secrets: [server.key().split("\n").slice(1, 3).join("\n")],
      open: (clock) => open(clock),
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
        await Deno.remove(faults, { recursive: true });
      },
    };
  },
};
