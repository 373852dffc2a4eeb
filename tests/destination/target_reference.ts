import { denoWorld } from "../../src/base/deno_world.ts";
import type { ConformanceHarness, Strike } from "../../src/destination/conformance.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { HttpDoor } from "../../src/destination/http/door.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { type Asked, HttpFaults, PORTAL, redirect, startTrap } from "../servers/http_faults.ts";
import { BLOCK, type Fetches, ReferenceDestination } from "./reference.ts";
import { BUCKET, PAGE, ReferenceServer, TOKEN } from "./reference_server.ts";
import type { Target } from "./target.ts";

/** What a test of the suite itself puts in the place of a part. */
export interface Defects {
  door?(door: Fetches): Fetches;
  destination?(destination: ReferenceDestination, door: Fetches): Destination;
}

/** The reference over HTTP: destination → bad network → bad service → server. */
export const reference: Target = { name: "reference", lacks: {}, start: () => startReference() };

export async function startReference(
  defects: Defects = {},
): Promise<ConformanceHarness & AsyncDisposable & { server: ReferenceServer }> {
  const server = await ReferenceServer.start();
  const faulty = await HttpFaults.start(server.port);
  const proxy = await FaultProxy.start(faulty.port);
  const open = async (clock = denoWorld().clock, bucket = BUCKET, token = TOKEN): Promise<Destination> => {
    const context = { world: { ...denoWorld(), clock }, secret: () => Promise.reject() };
    const honest = await HttpDoor.open({}, context, new AbortController().signal);
    const door = defects.door?.(honest) ?? honest;
    const base = `http://127.0.0.1:${proxy.port}`;
    const opened = new ReferenceDestination("reference", base, bucket, token, door, clock);
    return defects.destination?.(opened, door) ?? opened;
  };
  return {
    server,
    prefix: "conformance/",
    block: BLOCK,
    page: PAGE,
    secrets: [TOKEN],
    open: (clock) => open(clock),
    faults: {
      wrongCredentials: () => open(undefined, BUCKET, "wrong-token-9876543210"),
      missingPlace: () => open(undefined, "nothing-here"),
      network: (fault) => Promise.resolve(proxy.strike(fault)),
      ...serviceFaults(faulty),
      plant(name) {
        const planted = { bytes: new Uint8Array(3), etag: '"x"', lockedUntil: 0 };
        server.objects.set(name, planted);
        return Promise.resolve({ intact: () => Promise.resolve(server.objects.get(name) === planted) });
      },
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await faulty[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function serviceFaults(faulty: HttpFaults): Pick<
  NonNullable<ConformanceHarness["faults"]>,
  "busy" | "loseAnswer" | "truncate" | "full" | "portal" | "redirect"
> {
  const uploads = ({ method, url }: Asked) => method === "PUT" && url.startsWith("/u/");
  const publishes = ({ method, url }: Asked) => method === "POST" && url.startsWith("/u/");
  const notNow = { do: "answer", status: 503, headers: { "retry-after": "1" } } as const;
  return {
    busy: (times) => Promise.resolve(faulty.strike(notNow, times, uploads)),
    loseAnswer: () => Promise.resolve(faulty.strike({ do: "lose answer" }, 1, publishes)),
    truncate: () => Promise.resolve(faulty.strike({ do: "truncate" }, 1, uploads)),
    full: () => Promise.resolve(faulty.strike({ do: "answer", status: 507 }, Infinity, uploads)),
    portal: () => Promise.resolve(faulty.strike(PORTAL)),
    async redirect(): Promise<Strike> {
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
  };
}
