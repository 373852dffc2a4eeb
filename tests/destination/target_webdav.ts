import assert from "node:assert/strict";
import { webdav } from "../../plugins/destinations/webdav/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Planted, Strike } from "../../src/destination/conformance.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { type Asked, HttpFaults, PORTAL, redirect, startTrap } from "../servers/http_faults.ts";
import { Apache, missingApache, PASSWORD, USER } from "../servers/webdav/apache.ts";
import { CarelessServer } from "../servers/webdav/careless.ts";
import { startLighttpd } from "../servers/webdav/lighttpd.ts";
import { startRclone } from "../servers/webdav/rclone.ts";
import { missing } from "../servers/child.ts";
import type { Target } from "./target.ts";

/** A server to try, of whatever kind. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  /** The path of the folder, encoded, with slashes at both ends. */
  readonly path: string;
  plant(name: string): Promise<Planted>;
}

const WRONG = "wrong-password-0123456789";

/** Destination → bad network → bad service → server. */
function targetOf(
  name: string,
  unavailable: string | undefined,
  start: () => Promise<Served>,
  lacks: Target["lacks"] = {},
): Target {
  return {
    name,
    unavailable,
    lacks: { block: "it sends every body in one piece", ...lacks },
    async start() {
      const server = await start();
      const faulty = await HttpFaults.start(server.port);
      const proxy = await FaultProxy.start(faulty.port);
      const open = (clock = denoWorld().clock, path = server.path, password = PASSWORD) =>
        webdav.open(
          "dav",
          { url: `http://127.0.0.1:${proxy.port}${path}`, username: USER, password: "env:MADE_UP" },
          {
            world: { ...denoWorld(), clock },
            secret: () => Promise.resolve(new Secret(password)),
            warn: (message: string) => assert.fail(message),
          },
          new AbortController().signal,
        );
      const uploads = ({ method }: Asked) => method === "PUT" || method === "MOVE" || method === "MKCOL";
      const puts = ({ method, headers }: Asked) => method === "PUT" && headers["content-length"] !== "0";
      const strike = (...rule: Parameters<HttpFaults["strike"]>) => Promise.resolve(faulty.strike(...rule));
      return {
        prefix: "conformance/",
        page: 20, // it has no pages: more would only take longer
        secrets: [PASSWORD, WRONG, btoa(`${USER}:${PASSWORD}`), btoa(`${USER}:${WRONG}`)],
        open: (clock) => open(clock),
        faults: {
          ...("wrongCredentials" in lacks
            ? {}
            : { wrongCredentials: () => open(undefined, server.path, WRONG) }),
          missingPlace: () => open(undefined, `${server.path}absent/`),
          network: (fault) => Promise.resolve(proxy.strike(fault)),
          busy: (times) =>
            strike({ do: "answer", status: 503, headers: { "retry-after": "1" } }, times, uploads),
          loseAnswer: () => strike({ do: "lose answer" }, 1, ({ method }) => method === "MOVE"),
          truncate: () => strike({ do: "truncate" }, 1, puts),
          full: () => strike({ do: "answer", status: 507 }, Infinity, ({ method }) => method === "PUT"),
          portal: () => strike(PORTAL),
          redirect: async (): Promise<Strike> => {
            const trap = await startTrap();
            const one = faulty.strike(redirect(trap.url));
            return {
              times: () => trap.requests.length,
              async [Symbol.asyncDispose]() {
                await one[Symbol.asyncDispose]();
                await trap[Symbol.asyncDispose]();
              },
            };
          },
          plant: (name) => server.plant(name),
        },
        async [Symbol.asyncDispose]() {
          await proxy[Symbol.asyncDispose]();
          await faulty[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** Apache's mod_dav, by digest, with nonces that die after two seconds: many a transfer outlives one. */
export const webdavApache: Target = targetOf("webdav", await missingApache(), async () => {
  const apache = await Apache.start({ nonceLifetime: 2 });
  return {
    port: apache.port,
    path: "/dav/my%20backups/",
    async plant(name) {
      await apache.plant(name);
      const text = () => Deno.readTextFile(`${apache.folder}/${name}`).catch(() => "");
      return { intact: async () => await text() === "planted" };
    },
    [Symbol.asyncDispose]: () => apache[Symbol.asyncDispose](),
  };
});

/** rclone: unfinished files can be seen, a PUT replaces, an existing folder can be made again. */
export const webdavRclone: Target = targetOf(
  "webdav-rclone",
  await missing("rclone", "version"),
  () => startRclone(USER, PASSWORD),
);

/** lighttpd's mod_webdav, by basic. */
export const webdavLighttpd: Target = targetOf(
  "webdav-lighttpd",
  await missing("/usr/sbin/lighttpd", "-v"),
  () => startLighttpd(USER, PASSWORD),
);

/** A server of ours that does everything that is allowed, and some things that are not. */
export const webdavCareless: Target = targetOf(
  "webdav-careless",
  undefined,
  () => Promise.resolve(CarelessServer.start(USER, PASSWORD)),
);
