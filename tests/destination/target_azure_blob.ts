import assert from "node:assert/strict";
import { azureBlob } from "../../plugins/destinations/azure_blob/mod.ts";
import { BLOCK } from "../../plugins/destinations/azure_blob/upload.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import { Azurite } from "../servers/azurite/server.ts";
import { Immutability } from "../servers/azurite/immutability.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { type Asked, HttpFaults, PORTAL, redirect, startTrap } from "../servers/http_faults.ts";
import type { Target } from "./target.ts";

/** Blobs in a page of a list. */
const PAGE = 100;

let azurite: Azurite;
Deno.test.beforeAll(async () => void (azurite = await Azurite.start()));
Deno.test.afterAll(() => azurite[Symbol.asyncDispose]());

/** Azurite, a container of its own for each case: destination → bad network → bad service → locks → server. */
export const azureContainer: Target = {
  name: "azure-blob",
  lacks: {},
  async start() {
    const container = await azurite.container();
    const locks = await Immutability.start(azurite.port);
    const faulty = await HttpFaults.start(locks.port);
    // A service may always list fewer than it is asked for; a signature does not cover their number.
    faulty.rewrite = (url) => url.replace(/\bmaxresults=\d+/, `maxresults=${PAGE}`);
    const proxy = await FaultProxy.start(faulty.port);
    const sas = azurite.sas(container), stranger = azurite.sas("another-container");
    const open = (clock = denoWorld().clock, name = container, signature = sas) =>
      azureBlob.open(
        "azure-blob",
        {
          account: "acmebackups",
          container: name,
          prefix: "deep/er/",
          endpoint: azurite.endpoint(proxy.port),
          sas: "env:MADE_UP",
        },
        {
          world: { ...denoWorld(), clock },
          secret: () => Promise.resolve(new Secret(signature)),
          warn: (message: string) => assert.fail(message),
        },
        new AbortController().signal,
      );
    const puts = ({ method }: Asked) => method === "PUT";
    const publishes = ({ method, url }: Asked) => method === "PUT" && !/[?&]comp=block(&|$)/.test(url);
    const missing = azurite.sas("nothing-here");
    const said = (code: string, message: string) =>
      `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    const answer = (status: number, code: string, message: string, headers = {}) => ({
      do: "answer" as const,
      status,
      headers: { "content-type": "application/xml", "x-ms-error-code": code, ...headers },
      body: said(code, message),
    });
    return {
      prefix: "conformance/",
      block: BLOCK,
      page: PAGE,
      secrets: [sas, stranger, missing, azurite.key].flatMap((
        text,
      ) => [text, /sig=([^&]*)/.exec(text)?.[1] ?? text]),
      open: (clock) => open(clock),
      faults: {
        wrongCredentials: () => open(undefined, container, stranger),
        missingPlace: () => open(undefined, "nothing-here", missing),
        network: (fault) => Promise.resolve(proxy.strike(fault)),
        busy: (times) => {
          const busy = answer(503, "ServerBusy", "The server is currently unable to receive requests.", {
            "retry-after": "1",
          });
          return Promise.resolve(faulty.strike(busy, times, puts));
        },
        loseAnswer: () => Promise.resolve(faulty.strike({ do: "lose answer" }, 1, publishes)),
        truncate: () => Promise.resolve(faulty.strike({ do: "truncate" }, 1, puts)),
        full: () => {
          const full = answer(507, "InsufficientStorage", "There is no space left in the account.");
          return Promise.resolve(faulty.strike(full, Infinity, puts));
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
        async plant(name) {
          await azurite.store(container, `deep/er/${name}`, new Uint8Array(3));
          const intact = async () => (await azurite.stored(container, `deep/er/${name}`))?.length === 3;
          return { intact };
        },
      },
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await faulty[Symbol.asyncDispose]();
        await locks[Symbol.asyncDispose]();
      },
    };
  },
};
