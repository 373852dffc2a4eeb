import { collect, fromUtf8 } from "../../../../src/base/bytes.ts";
import { AppError, isAppError } from "../../../../src/base/errors.ts";
import { retry } from "../../../../src/base/retry.ts";
import type { World } from "../../../../src/base/world.ts";
import { orCancelled } from "../../../../src/destination/body.ts";
import type { TokenClient } from "./clients.ts";
import { noCredentials } from "./credentials.ts";
import type { Surroundings } from "./transport.ts";

/** Milliseconds: it is on this very machine, or it is not there. */
const SILENCE = 3000;

const PATH = "/computeMetadata/v1/instance/service-accounts/default/token";

/** The account that a machine, container or cluster of Google has: its metadata server gives the tokens. */
export class MachineAccount implements TokenClient {
  readonly #url: string;
  #token: { text: string; expires: number } | undefined;
  #asking: Promise<string> | undefined;

  constructor(world: World, readonly around: Surroundings) {
    const host = world.env("GCE_METADATA_HOST") ?? world.env("GCE_METADATA_IP") ?? "169.254.169.254";
    this.#url = `http://${host}${PATH}`;
  }

  /** Asks for the first token; `misconfigured` where this machine has no account. */
  async begin(signal: AbortSignal): Promise<void> {
    const { clock } = this.around;
    try {
      await retry(() => orCancelled(this.getRequestHeaders(), signal), { clock, signal, tries: 2 });
    } catch (error) {
      if (isAppError(error, "cancelled")) throw error;
      throw noCredentials(error);
    }
  }

  async getRequestHeaders(): Promise<Headers> {
    if (!this.#token || this.#token.expires - Date.now() < 240_000) {
      // The server itself keeps a token until five minutes before its end.
      this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
      await this.#asking;
    }
    return new Headers({ authorization: `Bearer ${this.#token!.text}` });
  }

  async #ask(): Promise<string> {
    const { door, signal } = this.around;
    const headers = { "metadata-flavor": "Google" };
    const answer = await door.fetch(this.#url, { headers, signal, silence: SILENCE });
    // Other clouds have a server at the same address.
    if (!answer.ok || answer.headers.get("metadata-flavor") !== "Google" || !answer.body) {
      await answer.body?.cancel();
      const code = answer.status >= 500 || answer.status === 429 ? "transient" : "denied";
      throw new AppError(code, `this machine's account gives no access token (${answer.status})`);
    }
    const { access_token: text, expires_in: seconds } = tokenIn(
      fromUtf8(await collect(answer.body, 64 * 1024, "the token"), "the token"),
    );
    this.#token = { text, expires: Date.now() + seconds * 1000 };
    return text;
  }
}

function tokenIn(text: string): { access_token: string; expires_in: number } {
  try {
    const { access_token, expires_in } = JSON.parse(text);
    if (typeof access_token === "string" && typeof expires_in === "number") {
      return { access_token, expires_in };
    }
  } catch {
    // nothing of it is told: it may hold the token
  }
  throw new AppError("transient", "this machine's account gives no access token");
}
