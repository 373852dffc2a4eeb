/**
 * The one door to the outside: clock, environment, network, files, child processes, terminal, signals.
 *
 * Every command takes a World, so that tests run it in-process with a clock, an environment and a terminal
 * of their own. `deno_world.ts` is the only file under `src` that touches `Deno.*`.
 */

import type { HttpClient, HttpOptions, Socket } from "./http/contract.ts";

export interface World {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly files: Files;
  readonly terminal: Terminal;
  /** The value of an environment variable; undefined where it is unset or empty. */
  env(name: string): string | undefined;
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
  /** Requests with an authority, a proxy and connections of their own, every byte of which can be watched. */
  http(options: HttpOptions): HttpClient;
  /** A connection for whatever is neither HTTP nor TLS; throws `transient` where nobody can be reached. */
  connect(peer: Peer, signal: AbortSignal): Promise<Socket>;
  /** Cryptographically strong random bytes. */
  random(length: number): Uint8Array;
  /** Runs a program without a shell; throws `not-found` where it does not exist. */
  run(argv: readonly string[], options: RunOptions): Promise<RunResult>;
  /** Starts a program without a shell, to stream through it; throws `not-found` where it does not exist. */
  start(argv: readonly string[], options: StartOptions): RunningProgram;
  /** The number of the user that this process runs as; undefined on Windows. */
  uid(): number | undefined;
  /** Calls `handler` on a signal of the operating system; returns what undoes that. */
  onSignal(signal: "SIGINT" | "SIGTERM", handler: () => void): () => void;
  /** Keeps secrets out of core dumps, where the platform and our permissions allow; says why not otherwise. */
  harden(): string | undefined;
  /** Ends the process at once, without any cleaning up; only for a second signal. */
  exit(code: number): never;
}

/** Who is connected to: a port of a host, or a Unix socket of this machine. */
export type Peer = { host: string; port: number } | { path: string };

export interface Platform {
  readonly os: "linux" | "windows" | "darwin" | "other";
  readonly pid: number;
  readonly hostname: () => string;
}

export interface Clock {
  now(): Date;
  /** Milliseconds that never run backwards, for durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with `cancelled` when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Terminal {
  /** Whether people watch standard error; false in timers, pipes and CI. */
  readonly interactive: boolean;
  /** Width in columns; 80 where unknown. */
  readonly columns: number;
  /** Why some of what went to standard output is lost (its disk is full); undefined where nothing is. */
  readonly lost?: string | undefined;
  /** Standard output: what programs read. Never throws. */
  out(text: string): void;
  /** Standard error: what people read. Never throws. */
  err(text: string): void;
}

export interface RunOptions {
  signal: AbortSignal;
  /** Milliseconds after which the program is killed and `transient` thrown. */
  timeout: number;
  env?: Record<string, string>;
  stdin?: Uint8Array;
}

export interface RunResult {
  code: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
}

/** How a program is started that is streamed through. All times are in milliseconds. */
export interface StartOptions {
  /** Ends the program. */
  signal: AbortSignal;
  /** How long all of it may take; as long as it likes where left out. */
  timeout?: number;
  /**
   * How long it may neither say anything nor take any of its input. Time in which it waits for us (for its output to be
   * read, for input to be there) does not count.
   */
  silence?: number;
  /** In place of `silence` until the first byte of its output. */
  silenceAtFirst?: number;
  /** Changes to this process's environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Its standard input; empty where left out. A stream that fails ends the program before it could take it for whole. */
  stdin?: Uint8Array | ReadableStream<Uint8Array>;
  /**
   * Gives it a session of its own, so that whatever it starts ends with it. It then has no terminal, and nothing that
   * a person allowed this terminal to do holds for it. Without effect on Windows.
   */
  apart?: boolean;
}

/**
 * A program at work. It is ended when its signal is aborted, a time runs out, its output is cancelled or it is disposed
 * of: politely first, by force two seconds later.
 */
export interface RunningProgram extends AsyncDisposable {
  /** Standard output, at the pace of its reader; errors with `cancelled` or `transient` when the program was ended. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** Resolves when the program has ended by itself; rejects as `stdout` errors when it was ended. */
  readonly ended: Promise<ProgramEnd>;
}

export interface ProgramEnd {
  code: number;
  /** The last 64 KiB of standard error. */
  stderr: Uint8Array;
  /** Whether it took all of its input. */
  fed: boolean;
}

/** What `stat` tells of a path; links are not followed. */
export interface FileInfo {
  kind: "file" | "directory" | "link" | "other";
  /** Bytes. */
  size: number;
  /** Permission bits (`0o600`); undefined on Windows. */
  mode: number | undefined;
  /** How many names the same file has; undefined where the platform does not tell. */
  links: number | undefined;
  /** The number of the user who owns it; undefined on Windows. */
  uid: number | undefined;
}

/**
 * Files and folders. Every method throws an AppError: `not-found`, `already-exists`, `denied`, or `unknown`
 * with the system's own word for it (no space left, read-only file system, …) and the path in the sentence.
 */
export interface Files {
  stat(path: string): Promise<FileInfo>;
  /** The whole content; `corrupt` when it is longer than `limit` bytes. */
  read(path: string, limit: number): Promise<Uint8Array>;
  /** A byte stream of bytes `start` (inclusive) to `end` (exclusive); to the end of the file by default. */
  stream(path: string, range?: { start: number; end?: number }): Promise<ReadableStream<Uint8Array>>;
  /** A new file, never an existing one, nor through a link; `mode` is subject to what the file system offers. */
  create(path: string, mode: number): Promise<NewFile>;
  /** A file to append to, made when absent. */
  append(path: string, mode: number): Promise<NewFile>;
  /** An existing file to write over in place, from its beginning; never follows a link. */
  overwrite(path: string): Promise<NewFile>;
  /** What kind of file system holds `path` (`ext4`, `btrfs`, …); undefined where that is not known. */
  fileSystem(path: string): Promise<string | undefined>;
  /** Makes the folder and its parents; fine when it exists. */
  makeFolder(path: string, mode: number): Promise<void>;
  /** Names in a folder, in no particular order. */
  names(path: string): Promise<string[]>;
  /** A second name for a file; `already-exists` when taken, `unsupported` where the file system has no links. */
  link(from: string, to: string): Promise<void>;
  /** Replaces `to`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or an empty folder; with `recursive` everything below it. */
  remove(path: string, options?: { recursive: boolean }): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  /** The path with every link resolved. */
  realPath(path: string): Promise<string>;
  /** Makes names in a folder durable; does nothing where the platform has no such call. */
  syncFolder(path: string): Promise<void>;
  /** An exclusive lock that ends with the process; undefined when another process or run holds it. */
  lock(path: string, waitMs: number): Promise<Lock | undefined>;
}

/** A file that is being written. */
export interface NewFile {
  /** Writes all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** fsync. */
  sync(): Promise<void>;
  close(): void;
}

/** A held lock. */
export interface Lock {
  release(): void;
}
