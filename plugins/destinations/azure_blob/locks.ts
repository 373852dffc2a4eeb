import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { lookAt } from "./blobs.ts";
import { LOCK_HINT } from "./refusals.ts";
import type { BlobImmutabilityPolicy } from "./sdk.ts";
import type { Named, Service } from "./service.ts";

/** A lock that nobody can lift or shorten, not even who owns the account; told in whole seconds. */
export function policyUntil(until: Date): BlobImmutabilityPolicy {
  return { expiriesOn: new Date(Math.ceil(until.getTime() / 1000) * 1000), policyMode: "Locked" };
}

/** Whether a blob is locked until then. */
export function isLockedUntil(lock: { until: Date; final: boolean } | undefined, until: Date): boolean {
  return lock !== undefined && lock.final && lock.until.getTime() >= until.getTime() - 1000;
}

/** Whether single blobs of a container can be locked; asked once. */
export class Locks {
  #known: Promise<boolean | undefined> | undefined;

  constructor(readonly service: Service) {}

  /** Throws `unsupported` where they cannot; returns where these credentials may not know. */
  async refuseWithout(signal: AbortSignal): Promise<void> {
    this.#known ??= this.#ask(signal).catch((error) => {
      this.#known = undefined;
      throw error;
    });
    const locks = await this.#known;
    throwIfCancelled(signal);
    if (locks === false) throw noLocks(this.service);
  }

  async #ask(signal: AbortSignal): Promise<boolean | undefined> {
    const { service } = this;
    try {
      const container = await service.call(
        { what: service.what, signal, needs: "r" },
        (client, options) => client.getProperties(options),
      );
      return container.isImmutableStorageWithVersioningEnabled;
    } catch (error) {
      // No signature that is made for one container may ask for its properties.
      if (isAppError(error, "denied")) return undefined;
      throw error;
    }
  }
}

/** Locks what is stored until then, where it is not. */
export async function keepUntil(service: Service, named: Named, until: Date): Promise<void> {
  const { key, name, signal } = named;
  if (isLockedUntil((await lookAt(service, named))?.lock, until)) return;
  await service.call(
    { what: key, signal, needs: "i" },
    (container) => container.getBlobClient(name).setImmutabilityPolicy(policyUntil(until)),
  );
}

/** Nothing in the container can be locked; `said` is the service's refusal, where it was one. */
export function noLocks({ what }: Service, said?: unknown): AppError {
  const cannot = `${what} cannot lock what it stores against removal`;
  return new AppError("unsupported", isAppError(said) ? `${cannot}: ${said.message}` : cannot, {
    hint: LOCK_HINT,
    cause: said,
  });
}
