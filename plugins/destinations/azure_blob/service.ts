import { AppError } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { Clock } from "../../../src/base/world.ts";
import { orCancelled } from "../../../src/destination/body.ts";
import type { HttpDoor } from "../../../src/destination/http/door.ts";
import { SILENCE } from "../../../src/destination/watchdog.ts";
import { translated } from "./refusals.ts";
import { ContainerClient, newPipeline } from "./sdk.ts";
import type { SignIn } from "./auth/sign_in.ts";
import { OneRequest } from "./transport.ts";

/** What {@linkcode Service} is made of. */
export interface ServiceParts {
  door: HttpDoor;
  signIn: SignIn;
  clock: Clock;
  /** Strong random bytes. */
  random(length: number): Uint8Array;
  container: string;
  /** Names that a list gives at once. */
  page: number;
  /** Milliseconds in which nothing may move; the usual ones where undefined. */
  silence: number | undefined;
  /** What no sentence may hold; grows. */
  secrets: readonly Secret[];
}

/** A key of the destination, and what it is called in the container. */
export interface Named {
  key: string;
  name: string;
  signal: AbortSignal;
}

/** A request that is about to be made. */
export interface Call {
  /** For sentences: a key, or `the container "x"`. */
  what: string;
  signal: AbortSignal;
  /** The permission of a shared access signature that it takes, a letter. */
  needs: "r" | "c" | "w" | "d" | "l" | "i";
  /** Tries in all; 1 where the caller tries again by itself. */
  tries?: number;
  /** Bytes that are sent; time in which they may be on their way. */
  sends?: number;
}

/** Bytes a second below which an upload counts as standing still: nobody sees how much of it has left. */
const CRAWL = 32 * 1024;

/** Bytes that may be on their way at once. */
export const IN_FLIGHT = 32 * 1024 * 1024;

/** One container and the way to it: requests that are signed, tried again and judged. */
export class Service {
  constructor(readonly parts: ServiceParts) {}

  /** How the container is called in sentences. */
  get what(): string {
    return `the container ${quoted(this.parts.container)}`;
  }

  /** Makes a request, again where that helps; throws AppErrors only. */
  async call<T>(
    call: Call,
    ask: (
      container: ContainerClient,
      options: { abortSignal: AbortSignal },
      request: OneRequest,
    ) => Promise<T>,
  ): Promise<T> {
    const { clock, door, signIn, silence = SILENCE } = this.parts;
    const { what, signal, needs, tries, sends = 0 } = call;
    return await retry(async () => {
      await signIn.ready(signal);
      // All that are on their way share the line.
      const patience = silence + Math.min(sends, IN_FLIGHT) / CRAWL * 1000;
      const request = new OneRequest(door, signal, patience);
      const pipeline = newPipeline(signIn.credential, {
        httpClient: request as never,
        retryOptions: { maxTries: 1 },
      });
      try {
        const container = new ContainerClient(signIn.url, pipeline);
        return await orCancelled(ask(container, { abortSignal: signal }, request), signal);
      } catch (error) {
        throw translated(error, { what, place: this.what, needs, sas: signIn.sas, signal, now: clock.now() });
      }
    }, { clock, signal, ...(tries === undefined ? {} : { tries }) });
  }
}

/** An answer that says yes without what every such answer holds: it comes from somebody else. */
export function incomplete(what: string): AppError {
  return new AppError("transient", `the answer about ${what} is none of Azure's`, {
    hint: "a captive portal or a proxy may stand between",
  });
}
