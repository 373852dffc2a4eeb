import assert from "node:assert/strict";
import { gcs } from "../../plugins/destinations/gcs/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { Refusal } from "../servers/gcs/answers.ts";
import { Identity } from "../servers/gcs/identity.ts";
import { GcsServer } from "../servers/gcs/server.ts";
import { whole } from "../servers/gcs/store.ts";
import { type Asked, HttpFaults, PORTAL, redirect, startTrap } from "../servers/http_faults.ts";
import type { Target } from "./target.ts";

/** Objects in a page of a list. */
const PAGE = 100;

/** Google Cloud Storage: destination → bad network → bad service → server. */
export const gcsBucket: Target = {
  name: "gcs",
  lacks: {},
  async start() {
    const server = await GcsServer.start();
    server.page = PAGE;
    server.bucket.objectRetention = true;
    const faulty = await HttpFaults.start(server.port);
    const proxy = await FaultProxy.start(faulty.port);
    // Tokens are had without faults: what is tried here is the service.
    const tokens = `http://127.0.0.1:${server.port}`;
    const key = server.identity.account(tokens), stranger = new Identity().account(tokens);
    const open = (clock = denoWorld().clock, bucket = "acme", file = key) =>
      gcs.open(
        "gcs",
        {
          bucket,
          prefix: "deep/er/",
          endpoint: `http://127.0.0.1:${proxy.port}`,
          keyFile: "credential:gcs",
        },
        {
          world: { ...denoWorld(), clock },
          secret: () => Promise.resolve(new Secret(JSON.stringify(file))),
          warn: (message: string) => assert.fail(message),
        },
        new AbortController().signal,
      );
    const uploads = ({ url }: Asked) => url.startsWith("/upload/");
    const parts = ({ method, url }: Asked) => method === "PUT" && url.startsWith("/upload/");
    const publishes = (asked: Asked) => {
      const [, end, total] = /(?:-(\d+)|\*)\/(\d+)$/.exec(asked.headers["content-range"] ?? "") ?? [];
      return parts(asked) && Number(end ?? -1) + 1 === Number(total);
    };
    return {
      prefix: "conformance/",
      block: 8 * 1024 * 1024,
      page: PAGE,
      secrets: [String(key.private_key), "ya29.", "AEnB2U"],
      open: (clock) => open(clock),
      faults: {
        wrongCredentials: () => open(undefined, "acme", stranger),
        missingPlace: () => open(undefined, "nothing-here"),
        network: (fault) => Promise.resolve(proxy.strike(fault)),
        busy: (times) => {
          const headers = { "retry-after": "1" };
          return Promise.resolve(faulty.strike({ do: "answer", status: 503, headers }, times, uploads));
        },
        loseAnswer: () => Promise.resolve(faulty.strike({ do: "lose answer" }, 1, publishes)),
        truncate: () => {
          let times = 0;
          server.faults.stored = (bytes) => times++ === 0 ? bytes.subarray(0, -1) : bytes;
          return Promise.resolve({
            times: () => times,
            [Symbol.asyncDispose]: () => Promise.resolve(void (delete server.faults.stored)),
          });
        },
        full: () => {
          let times = 0;
          server.instead = (method, { pathname }) => {
            if (method !== "PUT" || !pathname.startsWith("/upload/")) return undefined;
            times++;
            return new Refusal(403, "quotaExceeded", "The quota of the project has been exceeded.");
          };
          return Promise.resolve({
            times: () => times,
            [Symbol.asyncDispose]: () => Promise.resolve(void (server.instead = () => undefined)),
          });
        },
        portal: () => Promise.resolve(faulty.strike(PORTAL)),
        redirect: async (): Promise<Strike> => {
          const trap = await startTrap();
          const strike = faulty.strike(redirect(trap.url));
          return {
            times: () => trap.requests.length,
            async [Symbol.asyncDispose]() {
              await strike[Symbol.asyncDispose]();
              await trap[Symbol.asyncDispose]();
            },
          };
        },
        plant(name) {
          const planted = server.bucket.store(
            `deep/er/${name}`,
            whole(new Uint8Array(3)),
            {},
            new URLSearchParams(),
          );
          const intact = () => server.bucket.objects.get(`deep/er/${name}`) === planted;
          return Promise.resolve({ intact: () => Promise.resolve(intact()) });
        },
      },
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await faulty[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};
