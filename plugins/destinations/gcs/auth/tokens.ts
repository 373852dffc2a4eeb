import { AppError } from "../../../../src/base/errors.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { orCancelled } from "../../../../src/destination/body.ts";
import { wrappedError } from "../../../../src/destination/errors.ts";
import { inOurVoice, scrubbed } from "../../../../src/destination/scrub.ts";
import type { TokenClient } from "./clients.ts";

/** Headers of requests that Google knows the sender of. */
export class Tokens {
  #client: TokenClient | undefined;
  #last = "";

  /** `make` makes a client that has no token yet; every token is added to `secrets`. */
  constructor(readonly make: () => TokenClient, readonly secrets: Secret[], first: TokenClient = make()) {
    this.#client = first;
  }

  /**
   * Never without an `authorization`: an anonymous request might even be answered.
   *
   * @throws `denied` where the credentials do not hold; `transient` where it is not known
   */
  async headers(signal: AbortSignal): Promise<Headers> {
    this.#client ??= this.make();
    const headers = await orCancelled(this.#ask(this.#client), signal);
    const authorization = headers.get("authorization") ?? "";
    const [, token = ""] = /^Bearer ([\x21-\x7e]+)$/.exec(authorization) ?? [];
    if (token.length < 10) throw none();
    if (token !== this.#last) this.secrets.push(new Secret(this.#last = token));
    return headers;
  }

  /** The token that was used last is of no use any more. */
  forget(): void {
    this.#client = undefined;
  }

  async #ask(client: TokenClient): Promise<Headers> {
    try {
      return await client.getRequestHeaders();
    } catch (error) {
      const known = wrappedError(error);
      if (known) throw known;
      // The token fits into no header; the sentence would quote it.
      if (error instanceof TypeError) throw none(error);
      // A file of another system's token that is not there, a program that failed, a key that signs nothing.
      const why = error instanceof Error ? error.message : String(error);
      const said = inOurVoice(scrubbed(why, this.secrets));
      throw new AppError("misconfigured", `no access token is to be had: ${said}`, { cause: error });
    }
  }
}

function none(cause?: unknown): AppError {
  return new AppError("transient", "the place for tokens gave none", { cause });
}
