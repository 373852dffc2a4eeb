/** What travels between the source and the worker that holds 1Password's core. */

/** The first message: how to sign in. The core gets `config` as its `init_client` JSON. */
export interface Start {
  config: CoreConfig;
  /** Milliseconds without any byte after which a request to 1Password is given up. */
  stallMs: number;
  /** The native library of 1Password's app, in whose place the WebAssembly core is left alone. */
  library?: string;
}

/** The core's client configuration; its names are 1Password's. */
export interface CoreConfig {
  /** Empty where the app signs in. */
  serviceAccountToken: string;
  /** The account in the app: its name there, or its id. */
  accountName?: string;
  programmingLanguage: "JS";
  sdkVersion: string;
  integrationName: string;
  integrationVersion: string;
  requestLibraryName: "Fetch API";
  requestLibraryVersion: "Fetch API";
  os: string;
  osVersion: "0.0.0";
  architecture: string;
}

/** One call of the core, such as `ItemsGetAll`. `bytes` asks for the answer as a byte array (file bodies). */
export interface Call {
  id: number;
  name: string;
  parameters: unknown;
  answer: "json" | "bytes";
}

export type Answer =
  | { id: number; ok: string | Uint8Array<ArrayBuffer> }
  | { id: number; failed: Failure }
  /** The core panicked: nothing that was asked will be answered. */
  | { fatal: string };

/** What went wrong, in the core's words and in HTTP's: its texts alone do not tell a refusal from a dead network. */
export interface Failure {
  /** The core's error JSON, or whatever text it threw. */
  text: string;
  /**
   * The requests that came to no good while the call was under way, oldest first. Calls overlap, so some may be
   * another call's. Always empty where the app asks in our place.
   */
  requests: FailedRequest[];
  /** Set when what failed is a sign-in that the worker began by itself. */
  signIn?: true;
}

export interface FailedRequest {
  /** Of the answer; undefined when none came. */
  status?: number;
  /** The network's own word when no whole answer came. */
  network?: string;
  /** Whether it was part of a sign-in, also of one that the core made by itself. */
  signIn?: boolean;
  /** Seconds, from a `Retry-After` header. */
  retryAfter?: number;
}
