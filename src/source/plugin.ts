import type { z } from "zod";
import type { Secret } from "../base/secret.ts";
import type { World } from "../base/world.ts";
import type { SecretReference } from "../model/secret_reference.ts";
import type { Administration, AdministratorOptions } from "./administration.ts";
import type { Source } from "./contract.ts";

/** A kind of source, as the registry in `plugins/mod.ts` lists it. */
export interface SourcePlugin {
  /** The word in the config's `type:`. */
  readonly type: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** The plugin's own part of the config, without `type`. */
  readonly config: z.ZodObject;
  /** Opens the door; `config` has been checked against the schema above. Signs in lazily or at once, but only once. */
  open(config: unknown, context: SourceContext, signal: AbortSignal): Promise<Source>;
  /** The key in {@linkcode config} that refers to a service account's token, where the door takes one. */
  readonly tokenKey?: string;
  /** Opens the account for an administrator, where this is a way to do that. */
  administer?(
    options: AdministratorOptions,
    context: SourceContext,
    signal: AbortSignal,
  ): Promise<Administration>;
}

/** What a plugin gets from the house. */
export interface SourceContext {
  world: World;
  /** The version of this program, for 1Password's own records of who signs in. */
  version: string;
  /** Looks a secret up; throws `misconfigured` with the reason where it is not to be had. */
  secret(reference: SecretReference, signal: AbortSignal): Promise<Secret>;
  /** Says something to the person who reads the log. */
  warn(message: string): void;
  /**
   * A folder of mode 0700 in memory-backed storage where there is any, for a program that can only write to a file.
   * Disposing wipes it; what a killed run left, the next run of the job wipes.
   */
  privateFolder(): Promise<PrivateFolder>;
}

/** A folder that nobody else can read and that is wiped when it is disposed of. */
export interface PrivateFolder extends AsyncDisposable {
  readonly path: string;
}
