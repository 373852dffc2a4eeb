/** As much of ssh2 1.17 as is used here: the package brings no types of its own. */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/** A key as `parseKey` understands it. */
export interface ParsedKey {
  /** `ssh-ed25519`, `ssh-rsa` … */
  type: string;
  comment: string;
  isPrivateKey(): boolean;
  /** In clear, as OpenSSL writes it. */
  getPrivatePEM(): string;
  /** As it goes over the wire. */
  getPublicSSH(): Buffer;
  /** Returns, other than throws, why it cannot. */
  sign(data: Uint8Array): Buffer | Error;
}

/** An error of the library; `level` says where it happened, `code` is a status of SFTP or a reason to disconnect. */
export interface Ssh2Error extends Error {
  level?: string;
  code?: number | null;
}

/** One way to sign in, as the library wants to be told. */
export type Method =
  | { type: "publickey"; username: string; key: ParsedKey }
  | { type: "agent"; username: string; agent: BaseAgent }
  | { type: "password"; username: string; password: string }
  | { type: "keyboard-interactive"; username: string; prompt: Prompt };

export type Prompt = (
  name: string,
  instructions: string,
  language: string,
  prompts: readonly { prompt: string; echo?: boolean }[],
  finish: (answers: string[]) => void,
) => void;

/** Called for every try; gives the next method, or false when there is none left. */
export type AuthHandler = (methodsLeft: string[] | null, partialSuccess: boolean | null) => Method | false;

export interface ConnectOptions {
  sock: Duplex;
  username: string;
  authHandler: AuthHandler;
  /** Whether the server's key, as it comes over the wire, is the right one. */
  hostVerifier(key: Buffer): boolean;
  algorithms: {
    serverHostKey: string[];
    compress: string[];
    /** In this order: what is there is moved to the front by being taken away first. */
    cipher: { remove: string[]; prepend: string[] };
    kex: { remove: string[] };
  };
  /** Milliseconds; 0 for ever. */
  readyTimeout: number;
  keepaliveInterval: number;
  keepaliveCountMax: number;
}

/** What `stat` and its like tell; servers may leave any of it out. */
export interface Attributes {
  mode?: number;
  size?: number;
  /** Seconds. */
  mtime?: number;
}

export interface FileSystemAttributes {
  f_frsize: number;
  f_bavail: number;
  f_files: number;
  f_favail: number;
  /** 1: read-only. */
  f_flag: number;
}

/** What a request ends with. */
export type Callback<T = void> = (error: Ssh2Error | null | undefined, value?: T) => void;

/** A file or folder that is open at the server. */
export type Handle = Buffer;

/** Requests throw at once where the server does not offer an extension. */
export interface Sftp {
  on(event: "error", listener: (error: Ssh2Error) => void): this;
  on(event: "close" | "end", listener: () => void): this;
  /** Names and versions of what the server offers beyond the protocol. */
  readonly _extensions: Readonly<Record<string, string>>;
  /** Bytes that the server gives or takes in one request; what asks for more is cut up, one part after the other. */
  readonly _maxReadLen: number;
  readonly _maxWriteLen: number;
  open(path: string, flags: number, attributes: Attributes, done: Callback<Handle>): void;
  close(handle: Handle, done: Callback): void;
  read(
    handle: Handle,
    into: Buffer,
    offset: number,
    length: number,
    position: number,
    done: Callback<number>,
  ): void;
  write(
    handle: Handle,
    from: Buffer,
    offset: number,
    length: number,
    position: number,
    done: Callback,
  ): void;
  fstat(handle: Handle, done: Callback<Attributes>): void;
  stat(path: string, done: Callback<Attributes>): void;
  lstat(path: string, done: Callback<Attributes>): void;
  mkdir(path: string, attributes: Attributes, done: Callback): void;
  unlink(path: string, done: Callback): void;
  rename(from: string, to: string, done: Callback): void;
  opendir(path: string, done: Callback<Handle>): void;
  /** Some of the names in an open folder; the status 1 after the last. */
  readdir(handle: Handle, done: Callback<{ filename: string; attrs: Attributes }[]>): void;
  ext_openssh_fsync(handle: Handle, done: Callback): void;
  ext_openssh_hardlink(from: string, to: string, done: Callback): void;
  ext_openssh_statvfs(path: string, done: Callback<FileSystemAttributes>): void;
}

declare class Client {
  on(event: "ready" | "end" | "close", listener: () => void): this;
  on(event: "error", listener: (error: Ssh2Error) => void): this;
  on(event: "change password", listener: () => void): this;
  connect(options: ConnectOptions): this;
  sftp(done: Callback<Sftp>): this;
  /** Says good-bye and closes. */
  end(): this;
}

declare abstract class BaseAgent {
  getIdentities(done: Callback<ParsedKey[]>): void;
}

declare class OpenSSHAgent extends BaseAgent {
  constructor(path: string);
  getStream(done: Callback<Duplex>): void;
}

declare const ssh2: {
  Client: typeof Client;
  OpenSSHAgent: typeof OpenSSHAgent;
  utils: {
    /** Returns, other than throws, what is wrong. */
    parseKey(text: string, passphrase?: string): ParsedKey | ParsedKey[] | Error;
    sftp: { OPEN_MODE: { READ: number; WRITE: number; CREAT: number; EXCL: number } };
  };
};

export default ssh2;
