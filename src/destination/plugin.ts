import type { z } from "zod";
import type { Secret } from "../base/secret.ts";
import type { World } from "../base/world.ts";
import type { SecretReference } from "../model/secret_reference.ts";
import type { Destination } from "./contract.ts";

/** A kind of destination, as the registry in `plugins/mod.ts` lists it. */
export interface DestinationPlugin {
  /** The word in the config's `type:`. */
  readonly type: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** The plugin's own part of the config, without `type` and `name`. */
  readonly config: z.ZodObject;
  /**
   * The settings that say where it is, and not how it is reached: two that agree in these are one place, and one copy.
   * All settings where left out.
   */
  readonly place?: readonly string[];
  /** False where no opening can lock what it stores, so that the config can be refused that asks for it. */
  readonly locks?: false;
  /** Opens the destination `name`; `config` has been checked against the schema above. */
  open(name: string, config: unknown, context: DestinationContext, signal: AbortSignal): Promise<Destination>;
  /**
   * Looks whether what the config names on this computer is as it must be, for `config check`: contacts nobody, reads no
   * secret and runs nothing. Where there is nothing to look at it is left out.
   */
  check?(
    name: string,
    config: unknown,
    context: Pick<DestinationContext, "world">,
    signal: AbortSignal,
  ): Promise<void>;
}

/** What a plugin gets from the house. */
export interface DestinationContext {
  world: World;
  /** Looks a secret up; throws `misconfigured` with the reason where it is not to be had. */
  secret(reference: SecretReference, signal: AbortSignal): Promise<Secret>;
  /** Says something to the person who reads the log. */
  warn(message: string): void;
}
