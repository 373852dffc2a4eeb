import { X509Certificate } from "node:crypto";
import { fromUtf8 } from "../../base/bytes.ts";
import { AppError, isAppError } from "../../base/errors.ts";
import type { HttpClient, HttpInit } from "../../base/http/contract.ts";
import { parseProxy } from "../../base/http/proxies.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Secret } from "../../base/secret.ts";
import type { Clock, World } from "../../base/world.ts";
import type { DestinationContext } from "../plugin.ts";
import { Watchdog, watchedStream } from "../watchdog.ts";
import type { HttpSettings } from "./settings.ts";

/** A request through the door: as of {@linkcode HttpClient}, with its own patience. */
export interface DoorInit extends Omit<HttpInit, "signal" | "moved"> {
  signal: AbortSignal;
  /** Milliseconds in which nothing may move, where that is not what `SILENCE` says. */
  silence?: number;
}

/**
 * The one way of a destination to its service: custom authority, proxy, no redirect, a watchdog over every byte in both
 * directions. Give its `fetch` to whatever library is used.
 */
export class HttpDoor implements Disposable {
  readonly #client: HttpClient;
  readonly #clock: Clock;
  /** What no sentence may hold: the proxy's credentials, where there are any. */
  readonly secrets: readonly Secret[];

  private constructor(client: HttpClient, clock: Clock, secrets: readonly Secret[]) {
    this.#client = client;
    this.#clock = clock;
    this.secrets = secrets;
  }

  /** @throws `misconfigured` where the authority's file cannot be used */
  static async open(
    settings: HttpSettings,
    context: Pick<DestinationContext, "secret"> & { world: World },
    signal: AbortSignal,
  ): Promise<HttpDoor> {
    const { world } = context;
    const ca = settings.ca === undefined ? undefined : await authority(settings.ca, world);
    const credentials = settings.proxyCredentials === undefined
      ? undefined
      : await context.secret(settings.proxyCredentials, signal);
    if (credentials && settings.proxy === undefined) {
      throw new AppError("misconfigured", '"proxyCredentials" are given without a "proxy"');
    }
    const proxy = settings.proxy === undefined
      ? undefined
      : { ...parseProxy(settings.proxy, '"proxy"'), credentials: credentials?.reveal() };
    return new HttpDoor(world.http({ ca, proxy }), world.clock, credentials ? [credentials] : []);
  }

  /**
   * Sends one request and resolves with the head of its answer, whatever its status (see `refusalOf`); its body must be
   * read or cancelled.
   *
   * @throws what `HttpClient.fetch` throws; `transient` when nothing moved for too long; `misconfigured` on a redirect
   */
  async fetch(url: string | URL, init: DoorInit): Promise<Response> {
    const { signal, silence, ...request } = init;
    const dog = new Watchdog({ clock: this.#clock, signal, silence });
    try {
      const answer = await dog.guard(
        this.#client.fetch(url, { ...request, signal: dog.signal, moved: () => dog.progress() }),
      );
      refuseRedirect(url, answer);
      return watchedAnswer(answer, dog);
    } catch (error) {
      dog[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

/** The authority's certificates, looked at before they are trusted with anything. */
async function authority(path: string, { files }: World): Promise<string> {
  const unfit = (why: string, cause: unknown) =>
    new AppError("misconfigured", `"ca" names ${quoted(path)}, which ${why}`, { cause });
  try {
    const text = fromUtf8(await files.read(path, 1024 * 1024), quoted(path));
    const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) {
      throw unfit("holds no certificate (-----BEGIN CERTIFICATE-----)", undefined);
    }
    for (const one of certificates) new X509Certificate(one);
    return certificates.join("\n");
  } catch (error) {
    if (isAppError(error, "misconfigured")) throw error;
    if (isAppError(error, "not-found")) throw unfit("does not exist", error);
    if (isAppError(error)) throw unfit(`cannot be read: ${error.message}`, error);
    throw unfit("holds something that is no certificate", error);
  }
}

/** Never followed: what is sent to a service may hold credentials, and is for that service alone. */
function refuseRedirect(from: string | URL, answer: Response): void {
  const location = answer.headers.get("location");
  // 308 without a location is how a resumable upload of Google says "go on".
  if (answer.status < 300 || answer.status > 399 || answer.status === 304 || location === null) return;
  answer.body?.cancel().catch(() => {});
  const to = URL.parse(location, from);
  const other = to && to.origin !== new URL(from).origin ? ` to "${to.origin}"` : "";
  throw new AppError(
    "misconfigured",
    `the server redirects${other} (${answer.status}), which is not followed`,
    {
      hint: "check the address; a captive portal or a proxy that wants a login redirects too",
    },
  );
}

/** The answer with the watchdog over its body. */
function watchedAnswer(answer: Response, dog: Watchdog): Response {
  if (!answer.body) {
    dog[Symbol.dispose]();
    return answer;
  }
  const body = watchedStream(answer.body, dog);
  const watched = new Response(body, { status: answer.status, headers: answer.headers });
  return Object.defineProperty(watched, "url", { value: answer.url });
}
