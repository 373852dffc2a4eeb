import type { LiveAccount } from "../account/live_account.ts";
import type { LiveVault } from "../account/live_vault.ts";
import type { StoredFile } from "../wire/files.ts";
import { asString } from "../wire/json.ts";
import { accountCommands } from "./account_commands.ts";
import type { Output } from "./asked.ts";
import { OpCalls } from "./calls.ts";
import { parseCommandLine } from "./command_line.ts";
import { OpComplaint, SAYS } from "./errors.ts";
import { OpFaults } from "./faults.ts";
import { vaultCommands } from "./vault_commands.ts";

const COMMANDS = { ...accountCommands, ...vaultCommands };

export interface Person {
  id: string;
  name: string;
  email: string;
  type?: string;
  state?: string;
}

/** A service account that somebody made through the fake. */
export interface MadeServiceAccount {
  name: string;
  vaults: { id: string; permissions: string[] }[];
  expiresIn?: string;
}

/** What the program answers, and how it is signed in: looked at and changed by tests while it is used. */
export class FakeOp {
  readonly calls = new OpCalls();
  readonly faults = new OpFaults();
  version = "2.31.1";
  url = "sample.1password.com";
  /** How a person is signed in: through the app, by a session, or not at all. */
  signedIn: "app" | "session" | "no" = "app";
  people: Person[] = [
    { id: "AAAAAAAAAAAAAAAAAAAAAAPERSON", name: "Sample Person", email: "sample.person@example.invalid" },
    { id: "AAAAAAAAAAAAAAAAAAAAAAAOTHER", name: "Other Person", email: "other.person@example.invalid" },
  ];
  /** What becomes of the ids that follow one that cannot be had. */
  missing: "stop" | "continue" = "stop";
  /** Ids that `item get` passes over in silence. */
  readonly omitted = new Set<string>();
  /** Ids that `item get` complains of, and how. */
  readonly unreadable = new Map<string, string>();
  /** Ids that `item list` leaves out. */
  readonly unlisted = new Set<string>();
  /** Whether `op read` gives files of archived items. */
  readsArchivedFiles = false;
  /** Whether `op read` adds a line feed even when it is told not to. */
  alwaysAddsNewLine = false;
  /** Calls that a service account has made against its quota. */
  reads = 0;
  allowed = { hour: 1000, day: 1000 };
  /** By token. */
  readonly serviceAccounts = new Map<string, MadeServiceAccount>();
  readonly #before = new Map<string, Set<() => void | Promise<void>>>();
  readonly #bodies = new Map<string, Uint8Array>();
  #counting = false;

  constructor(readonly account: LiveAccount, readonly tokens: Set<string>) {}

  /** Runs `hook` before each call of this command, such as to delete an item between list and get. */
  before(command: string, hook: () => void | Promise<void>): () => void {
    const hooks = this.#before.get(command) ?? new Set();
    this.#before.set(command, hooks.add(hook));
    return () => void hooks.delete(hook);
  }

  /** The body of this file is from now on something else than the account says. */
  serve(file: StoredFile, content: Uint8Array): void {
    this.#bodies.set(file.id, content);
  }

  bodyOf(file: StoredFile): Uint8Array {
    return this.#bodies.get(file.id) ?? file.content();
  }

  /** What `op` prints for this command line; throws an OpComplaint. */
  async *answer(
    argv: readonly string[],
    variables: Record<string, string>,
    stdin: string | null,
  ): Output {
    let line;
    try {
      line = parseCommandLine(argv);
    } catch (error) {
      throw new OpComplaint((error as Error).message);
    }
    if (line.command === "--version") {
      return yield* COMMANDS["--version"]!({ ...line, ...this.#asked(stdin) });
    }
    for (const hook of this.#before.get(line.command) ?? []) await hook();
    const serviceAccount = this.#signIn(line.command, variables);
    this.#counting = serviceAccount !== undefined;
    yield* COMMANDS[line.command]!({ ...line, ...this.#asked(stdin), serviceAccount });
  }

  /** Counts calls against the quota; complains when it is used up. */
  spend(calls: number): void {
    if (!this.#counting) return;
    if (this.reads + calls > Math.min(this.allowed.hour, this.allowed.day)) {
      throw new OpComplaint(SAYS.quota());
    }
    this.reads += calls;
  }

  /** The vaults that somebody sees; a service account never the personal ones, nor the one everybody shares. */
  visibleVaults(serviceAccount: string | undefined): LiveVault[] {
    if (serviceAccount === undefined) return this.account.vaults;
    const granted = this.serviceAccounts.get(serviceAccount)?.vaults;
    return this.account.vaults.filter((vault) =>
      granted ? granted.some(({ id }) => id === vault.id) : !"PE".includes(this.letterOf(vault))
    );
  }

  findVault(name: string, serviceAccount: string | undefined | false): LiveVault {
    const vaults = this.visibleVaults(serviceAccount || undefined);
    const vault = vaults.find(({ id }) => id === name) ?? vaults.find(({ title }) => title === name);
    if (!vault) throw new OpComplaint(SAYS.noVault(name));
    return vault;
  }

  letterOf(vault: LiveVault): string {
    return asString(vault.record().type);
  }

  createServiceAccount(made: MadeServiceAccount): string {
    const token = `ops_${btoa(JSON.stringify({ made: made.name, at: this.serviceAccounts.size }))}`;
    this.serviceAccounts.set(token, made);
    this.tokens.add(token);
    return token;
  }

  #asked(stdin: string | null) {
    return { fake: this, stdin, serviceAccount: undefined as string | undefined };
  }

  /** The token of the service account that asks, or undefined for a person who is signed in. */
  #signIn(command: string, variables: Record<string, string>): string | undefined {
    if (variables.OP_CONNECT_HOST || variables.OP_CONNECT_TOKEN) throw new OpComplaint(SAYS.connect);
    const token = variables.OP_SERVICE_ACCOUNT_TOKEN;
    if (token) {
      if (!token.startsWith("ops_")) throw new OpComplaint(SAYS.badToken);
      if (this.account.revoked !== undefined) throw new OpComplaint(SAYS.deletedToken);
      if (!this.tokens.has(token)) throw new OpComplaint(SAYS.wrongToken);
      if (variables.OP_ACCOUNT) throw new OpComplaint("account can't be used with a service account");
      return token;
    }
    if (command === "account list") return undefined;
    if (this.signedIn === "no") throw new OpComplaint(SAYS.noSignIn);
    return undefined;
  }
}
