import assert from "node:assert/strict";
import { s3 } from "../../plugins/destinations/s3/mod.ts";
import { PART } from "../../plugins/destinations/s3/upload.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { HttpFaults, PORTAL, redirect, startTrap } from "../servers/http_faults.ts";
import { SLOW_DOWN } from "../servers/s3/faults.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import { S3Server } from "../servers/s3/server.ts";
import { Bucket } from "../servers/s3/store.ts";
import type { Target } from "./target.ts";

const BUCKET = "acme-backups";
const MEMBER = { accessKeyId: "AKIAMADEUPMADEUPMADE", secretAccessKey: "made-up-secret/0123456789+abcdef" };
const SENDS = ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
const PUBLISHES = ["PutObject", "CompleteMultipartUpload"];

/** Our strict server: destination → bad network → bad way → server with faults. Its bucket locks, and keeps versions. */
export const s3Bucket: Target = {
  name: "s3",
  lacks: {},
  async start() {
    const bucket = new Bucket(BUCKET, true, true);
    const server = await S3Server.start({ members: [MEMBER], buckets: [bucket], page: 100 });
    const way = await HttpFaults.start(server.port);
    const proxy = await FaultProxy.start(way.port);
    const open = (clock = denoWorld().clock, name = BUCKET, secret = MEMBER.secretAccessKey) =>
      s3.open(
        "s3",
        {
          bucket: name,
          endpoint: `http://127.0.0.1:${proxy.port}`,
          prefix: "some/where/",
          accessKeyId: MEMBER.accessKeyId,
          secretAccessKey: "env:MADE_UP",
        },
        {
          world: { ...denoWorld(), clock },
          secret: () => Promise.resolve(new Secret(secret)),
          warn: (message: string) => assert.fail(message),
        },
        new AbortController().signal,
      );
    const full = new S3Refusal(
      507,
      "XMinioStorageFull",
      "Storage backend has reached its minimum free drive threshold.",
    );
    return {
      prefix: "conformance/",
      block: PART,
      page: 100,
      secrets: [
        MEMBER.secretAccessKey,
        encodeURIComponent(MEMBER.secretAccessKey),
        "wrong-secret-0123456789",
      ],
      open: (clock) => open(clock),
      faults: {
        wrongCredentials: () => open(undefined, BUCKET, "wrong-secret-0123456789"),
        missingPlace: () => open(undefined, "nothing-here"),
        network: (fault) => Promise.resolve(proxy.strike(fault)),
        busy: (times) => Promise.resolve(server.faults.strike(SENDS, SLOW_DOWN, times)),
        loseAnswer: () => Promise.resolve(server.faults.strike(PUBLISHES, { do: "lose answer" }, 1)),
        truncate: () => Promise.resolve(server.faults.strike(PUBLISHES, { do: "truncate" }, 1)),
        full: () => Promise.resolve(server.faults.strike(SENDS, { do: "refuse", with: full })),
        portal: () => Promise.resolve(way.strike(PORTAL)),
        redirect: async (): Promise<Strike> => {
          const trap = await startTrap();
          const strike = way.strike(redirect(trap.url));
          return {
            times: () => trap.requests.length,
            async [Symbol.asyncDispose]() {
              await strike[Symbol.asyncDispose]();
              await trap[Symbol.asyncDispose]();
            },
          };
        },
        plant(name) {
          const key = `some/where/${name}`;
          const planted = bucket.store(key, { bytes: new Uint8Array(3), etag: '"x"', metadata: {} }, false);
          return Promise.resolve({ intact: () => Promise.resolve(bucket.current(key) === planted) });
        },
      },
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await way[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};
