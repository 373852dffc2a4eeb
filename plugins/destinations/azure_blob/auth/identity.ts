import { AppError } from "../../../../src/base/errors.ts";
import { Secret } from "../../../../src/base/secret.ts";
import type { Clock } from "../../../../src/base/world.ts";
import { orCancelled } from "../../../../src/destination/body.ts";
import type { HttpDoor } from "../../../../src/destination/http/door.ts";
import { watched } from "../../../../src/destination/watchdog.ts";
import {
  type AccessToken,
  DefaultAzureCredential,
  ManagedIdentityCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from "./identity_sdk.ts";
import type { AzureSettings } from "../settings.ts";
import { TokenTransport, whoeverAsks } from "./token_transport.ts";

/** What an {@linkcode Identity} needs. */
export interface Surroundings {
  door: HttpDoor;
  clock: Clock;
  /** Takes every token. */
  secrets: Secret[];
  /** Whether the environment names another place for tokens than Microsoft's own. */
  namesAuthority: boolean;
}

/** The same for every account in every cloud. */
const SCOPE = "https://storage.azure.com/.default";

/** Milliseconds for a place for tokens, or a program, to come up with one. */
const PATIENCE = 60_000;

/** Milliseconds before its end when a token is replaced. */
const EARLY = 300_000;

/** An account at Microsoft Entra ID; a token is asked for before it is needed, and never none is sent. */
export class Identity implements TokenCredential {
  readonly #transport: TokenTransport;
  readonly #over = new AbortController();
  #token: AccessToken | undefined;
  #asking: Promise<void> | undefined;

  constructor(readonly settings: AzureSettings, readonly around: Surroundings) {
    this.#transport = new TokenTransport({ ...around, signal: this.#over.signal });
  }

  /**
   * Returns when there is a token that lasts.
   *
   * @throws `misconfigured` where nothing is found to sign in with; `denied`; `transient`
   */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#token && this.#token.expiresOnTimestamp - Date.now() > EARLY) return;
    // One token is for all calls, so none of them may end the request for it.
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    await orCancelled(this.#asking, signal);
  }

  getToken(): Promise<AccessToken | null> {
    return Promise.resolve(this.#token ?? null);
  }

  close(): void {
    this.#over.abort();
  }

  #made: TokenCredential | undefined;

  /** What its constructor throws (a variable that is missing) is told as what it throws later. */
  #library(): TokenCredential {
    return this.#made ??= makeCredential(this.settings, this.around.namesAuthority);
  }

  async #ask(): Promise<void> {
    const { clock, secrets } = this.around;
    const token = await watched(
      { clock, signal: this.#over.signal, silence: PATIENCE },
      async (abortSignal) => {
        try {
          return await this.#transport.carry(() => this.#library().getToken(SCOPE, { abortSignal }));
        } catch (error) {
          throw this.#transport.judge(error, this.settings.identity ?? "default", this.#token !== undefined);
        }
      },
    );
    if (!token?.token) throw new AppError("transient", "the place for tokens gave none");
    this.#token = token;
    secrets.push(new Secret(token.token));
  }
}

function makeCredential({ identity, clientId }: AzureSettings, namesAuthority: boolean): TokenCredential {
  // Tried again by us, or by the next run. Whoever names another authority vouches for it.
  const options = {
    httpClient: whoeverAsks,
    retryOptions: { maxRetries: 0 },
    disableInstanceDiscovery: namesAuthority,
  };
  if (identity === "managed") {
    return new ManagedIdentityCredential({ ...options, ...(clientId === undefined ? {} : { clientId }) });
  }
  if (identity === "workload") {
    return new WorkloadIdentityCredential({ ...options, ...(clientId === undefined ? {} : { clientId }) });
  }
  const ids = clientId === undefined
    ? {}
    : { managedIdentityClientId: clientId, workloadIdentityClientId: clientId };
  return new DefaultAzureCredential({ ...options, ...ids, processTimeoutInMs: PATIENCE / 2 });
}
