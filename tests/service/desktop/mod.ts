/**
 * Stands in for the 1Password app on a person's machine, as programs see it that sign in through it: a native library
 * that they load, and behind it the real core of `@1password/sdk`, signed in to the local service.
 *
 * @module
 */
import core from "@1password/sdk-core";
import type { LocalService } from "../service.ts";
import { makeLibrary } from "./library.ts";

/** What a program asks the app. */
export interface AppMessage {
  kind: "init_client" | "invoke" | "release_client";
  account: string;
  /** The core's JSON; of an `invoke` only the name of the call. */
  call: string | undefined;
}

/** What the app says instead of what it would. */
export type AppFault =
  /** An error as the core and the app word them. */
  | { error: { name: string; message: string } }
  /** Any bytes at all. */
  | { raw: string | Uint8Array }
  /** Nothing, ever. */
  | "silence";

export class DesktopApp implements AsyncDisposable {
  /** Accounts that are signed in there: by name or id. */
  readonly accounts = new Set<string>();
  /** What it was asked, in order. */
  readonly messages: AppMessage[] = [];
  /** How the person answers prompts. */
  approves = true;
  /** How long the person takes, in milliseconds. */
  hesitates = 0;
  readonly #faults: { kind: AppMessage["kind"]; call: string | undefined; left: number; fault: AppFault }[] =
    [];
  /** Clients that may ask, by the number that the program knows, with that of the core. */
  readonly #clients = new Map<number, number>();
  /** Clients of the core, which may be at work after their session has ended. */
  readonly #made: number[] = [];
  #next = 1;
  readonly #open = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  private constructor(
    readonly service: LocalService,
    readonly folder: string,
    readonly listener: Deno.TcpListener,
    /** The path of the library. */
    readonly library: string,
  ) {}

  static async start(service: LocalService, account: string): Promise<DesktopApp> {
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-app-" });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const app = new DesktopApp(service, folder, listener, await makeLibrary(folder, listener.addr.port));
    app.accounts.add(account);
    app.#listen();
    return app;
  }

  /** How often a person was asked. */
  get prompts(): number {
    return this.messages.filter(({ kind }) => kind === "init_client").length;
  }

  /** Locks the app: every program must sign in again. */
  endSessions(): void {
    this.#clients.clear();
  }

  /** Says something else to the next messages of this kind. */
  faultOn(kind: AppMessage["kind"], fault: AppFault, options: { call?: string; times?: number } = {}): void {
    this.#faults.push({ kind, call: options.call, left: options.times ?? Infinity, fault });
  }

  /** Waits for what the core is still asking the service: close a service that hangs first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.listener.close();
    await Promise.all(this.#open);
    for (const client of this.#made) core.release_client(JSON.stringify(client));
    await Deno.remove(this.folder, { recursive: true });
  }

  async #listen(): Promise<void> {
    try {
      for await (const connection of this.listener) {
        const served = this.#serve(connection).finally(() => this.#open.delete(served));
        this.#open.add(served);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // closed
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    try {
      const answer = await this.#answer(JSON.parse(await whole(connection)));
      if (!answer) return await closed(this.#closing.signal);
      for (let at = 0; at < answer.length;) at += await connection.write(answer.subarray(at));
    } catch (error) {
      // A program that is gone, or was ended while it waited, needs no answer.
      if (!GONE.some((kind) => error instanceof kind)) throw error;
    } finally {
      connection.close();
    }
  }

  /** Nothing where it is to stay silent. */
  async #answer(message: { account_name: string; kind: AppMessage["kind"]; payload: string }) {
    const { account_name: account, kind } = message;
    const payload = new TextDecoder().decode(
      Uint8Array.from(atob(message.payload), (char) => char.charCodeAt(0)),
    );
    const call = kind === "invoke" ? JSON.parse(payload).invocation.parameters.name : undefined;
    this.messages.push({ kind, account, call });
    const fault = this.#fault(kind, call);
    if (fault === "silence") return undefined;
    if (fault && "raw" in fault) {
      return typeof fault.raw === "string" ? new TextEncoder().encode(fault.raw) : fault.raw;
    }
    try {
      if (fault) throw JSON.stringify(fault.error);
      return said(
        true,
        kind === "init_client" ? await this.#signIn(account, payload) : await this.#invoke(payload),
      );
    } catch (error) {
      return said(false, String(error));
    }
  }

  #fault(kind: AppMessage["kind"], call: string | undefined): AppFault | undefined {
    const found = this.#faults.find((one) =>
      one.kind === kind && one.left > 0 && (one.call === undefined || one.call === call)
    );
    if (found) found.left--;
    return found?.fault;
  }

  async #signIn(account: string, config: string): Promise<string> {
    if (this.hesitates > 0) await new Promise((resolve) => setTimeout(resolve, this.hesitates));
    if (!this.accounts.has(account)) throw failure("Internal", "no account with that name");
    if (!this.approves) throw failure("Internal", "the authorization request was denied");
    const { accountName: _, ...given } = JSON.parse(config);
    if (given.serviceAccountToken !== "") throw failure("Internal", "a token has no place here");
    const made = await core.init_client(
      JSON.stringify({ ...given, serviceAccountToken: this.service.token() }),
    );
    this.#made.push(Number(made));
    this.#clients.set(this.#next, Number(made));
    return String(this.#next++);
  }

  async #invoke(payload: string): Promise<string> {
    const { invocation } = JSON.parse(payload);
    const client = this.#clients.get(invocation.clientId);
    if (client === undefined) throw failure("DesktopSessionExpired", "the session has expired");
    return await core.invoke(JSON.stringify({ invocation: { ...invocation, clientId: client } }));
  }
}

const GONE = [Deno.errors.BrokenPipe, Deno.errors.ConnectionReset];

/** Everything that a program sends before it waits for an answer. */
async function whole(connection: Deno.TcpConn): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const part = new Uint8Array(65_536);
    const length = await connection.read(part);
    if (length === null) return await new Blob(parts).text();
    parts.push(part.subarray(0, length));
  }
}

/** An answer as the library gives it. */
function said(success: boolean, payload: string): Uint8Array<ArrayBuffer> {
  const bytes = Array.from(new TextEncoder().encode(payload));
  return new TextEncoder().encode(JSON.stringify({ success, payload: bytes }));
}

function failure(name: string, message: string): string {
  return JSON.stringify({ name, message });
}

function closed(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
