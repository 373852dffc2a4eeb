import { AppError } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { Clock } from "../../../src/base/world.ts";
import { orCancelled } from "../../../src/destination/body.ts";
import { SILENCE } from "../../../src/destination/watchdog.ts";
import type { Credentials } from "./credentials.ts";
import { isRefusal, translated } from "./refusals.ts";
import type { S3Client } from "./sdk.ts";

/** What {@linkcode Service} is made of. */
export interface ServiceParts {
  client: S3Client;
  credentials: Credentials;
  clock: Clock;
  bucket: string;
  region: string;
  /** Milliseconds in which nothing may move; the usual ones where undefined. */
  silence: number | undefined;
  /** What no sentence may hold; grows. */
  secrets: readonly Secret[];
}

/** A key of the destination, and what it is called in the bucket. */
export interface Named {
  key: string;
  name: string;
  signal: AbortSignal;
}

/** A request that is about to be made. */
export interface Call {
  /** For sentences: a key, or `the bucket "x"`. */
  what: string;
  signal: AbortSignal;
  /** Tries in all; 1 where the caller tries again by itself. */
  tries?: number;
  /** Bytes that are sent; time in which they may be on their way. */
  sends?: number;
  /** Whether the answer has no body even where it is a refusal. */
  bodiless?: boolean;
}

/** Worth another try of all that came before, but not of the same request. */
const LATER = ["NoSuchUpload", "ConditionalRequestConflict"];

/** Handed to the library with every command. */
interface SdkOptions {
  abortSignal: AbortSignal;
  requestTimeout: number;
}

/** Bytes a second below which an upload counts as standing still: nobody sees how much of it has left. */
const CRAWL = 32 * 1024;

/** One bucket and the way to it: requests that are signed, tried again and judged. */
export class Service {
  constructor(readonly parts: ServiceParts) {}

  /** How the bucket is called in sentences. */
  get what(): string {
    return `the bucket ${quoted(this.parts.bucket)}`;
  }

  /** Makes a request, again where that helps; throws AppErrors only. */
  async call<T>(call: Call, ask: (client: S3Client, options: SdkOptions) => Promise<T>): Promise<T> {
    const { clock } = this.parts, { signal, tries } = call;
    const asked = () =>
      this.#once(call, ask).then((value) => ({ value }), (error) => {
        if (LATER.some((code) => isRefusal(error, code))) return { error };
        throw error;
      });
    const came = await retry(asked, { clock, signal, ...(tries === undefined ? {} : { tries }) });
    if ("error" in came) throw came.error;
    return came.value;
  }

  async #once<T>(call: Call, ask: (client: S3Client, options: SdkOptions) => Promise<T>): Promise<T> {
    const { client, credentials, clock, region, silence = SILENCE } = this.parts;
    const { what, signal, sends = 0, bodiless = false } = call;
    await credentials.ready(signal);
    const requestTimeout = silence + sends / CRAWL * 1000;
    try {
      return await orCancelled(ask(client, { abortSignal: signal, requestTimeout }), signal);
    } catch (error) {
      throw translated(error, { what, place: this.what, bodiless, signal, region, now: clock.now() });
    }
  }
}

/** An answer that says yes without what every such answer holds: it comes from somebody else. */
export function strange(what: string): AppError {
  return new AppError("transient", `the answer about ${what} is none of S3's`, {
    hint: 'check "endpoint"; a captive portal or a proxy may stand between',
  });
}
