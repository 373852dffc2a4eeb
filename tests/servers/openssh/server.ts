/** Debian's OpenSSH server, with keys, a port and folders of its own; it runs as whoever runs the tests. */
import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { type Child, missing, startChild } from "../child.ts";

export const SSHD = "/usr/sbin/sshd";
export const SFTP_SERVER = "/usr/lib/openssh/sftp-server";

export type KeyType = "ed25519" | "rsa" | "ecdsa";

export interface OpenSshOptions {
  /** The program behind SFTP; `internal-sftp` where left out. */
  subsystem?: string;
  /** Further lines of its configuration, which go before ours: sshd takes the first of each. */
  config?: readonly string[];
  /** A second port, where this command answers instead of SFTP. */
  second?: { port: number; command: string };
  /** Which host keys it has; one of ed25519 where left out. */
  hostKeys?: readonly KeyType[];
  /** Starts sshd in another way than by itself; given its own command line. */
  start?: { program: string; args(sshd: readonly string[]): string[] };
  /** Who signs in; whoever runs the tests where left out. */
  username?: string;
}

/** Why OpenSSH cannot run here; undefined where it can. */
export async function opensshMissing(): Promise<string | undefined> {
  return await missing(SSHD, "-V") ?? await missing("ssh-keygen", "-?") ?? await missing(SFTP_SERVER, "-h");
}

export class OpenSsh implements AsyncDisposable {
  private constructor(readonly folder: string, readonly child: Child, readonly options: OpenSshOptions) {}

  static async start(options: OpenSshOptions = {}): Promise<OpenSsh> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "vaultferry-openssh-" }));
    try {
      // Another user may have to pass through; everything of worth in here has permissions of its own.
      await Deno.chmod(folder, 0o711);
      await Deno.mkdir(`${folder}/srv`);
      const { hostKeys = ["ed25519"], config = [], subsystem = "internal-sftp", second } = options;
      for (const type of hostKeys) await keygen(`${folder}/host_${type}`, type);
      await keygen(`${folder}/key`, "ed25519");
      await Deno.copyFile(`${folder}/key.pub`, `${folder}/authorized_keys`);
      await Deno.chmod(`${folder}/authorized_keys`, 0o644);
      // A running sshd of the root user wants this folder, whatever it is configured to.
      if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
      await Deno.writeTextFile(
        `${folder}/sshd_config`,
        [
          ...config,
          "ListenAddress 127.0.0.1",
          ...hostKeys.map((type) => `HostKey ${folder}/host_${type}`),
          "PidFile none",
          "UsePAM no",
          "StrictModes no",
          "PermitRootLogin yes",
          "PasswordAuthentication no",
          "KbdInteractiveAuthentication no",
          `AuthorizedKeysFile ${folder}/authorized_keys`,
          "MaxStartups 100",
          "UseDNS no",
          "LogLevel VERBOSE",
          `Subsystem sftp ${subsystem}`,
          ...(second ? [`Match LocalPort ${second.port}`, `  ForceCommand ${second.command}`] : []),
        ].join("\n") + "\n",
      );
      const sshd = (port: number) =>
        [SSHD, "-D", "-e", "-f", `${folder}/sshd_config`, "-p", `${port}`]
          .concat(second ? ["-p", `${second.port}`] : []);
      const child = await startChild({
        program: options.start?.program ?? SSHD,
        args: (port) => options.start?.args(sshd(port)) ?? sshd(port).slice(1),
      });
      return new OpenSsh(folder, child, options);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  get port(): number {
    return this.child.port;
  }

  get username(): string {
    return this.options.username ?? userInfo().username;
  }

  /** A path below the folder that is there to be stored in. */
  at(name = ""): string {
    return name === "" ? `${this.folder}/srv` : `${this.folder}/srv/${name}`;
  }

  /** The private key that may sign in. */
  key(): string {
    return Deno.readTextFileSync(`${this.folder}/key`);
  }

  /** A host key, as `type base64`. */
  hostKey(type: KeyType = this.options.hostKeys?.[0] ?? "ed25519"): string {
    return Deno.readTextFileSync(`${this.folder}/host_${type}.pub`).split(" ").slice(0, 2).join(" ");
  }

  /** A line for `known_hosts`, for whoever connects to `port`. */
  knownHost(port = this.port, type?: KeyType): string {
    return `[127.0.0.1]:${port} ${this.hostKey(type)}`;
  }

  /** Lets another key in, too. */
  async authorize(publicKey: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/authorized_keys`, publicKey, { append: true });
  }

  async [Symbol.asyncDispose]() {
    await this.child[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Makes a key with ssh-keygen; returns its public part. */
export async function keygen(
  path: string,
  type: KeyType,
  passphrase = "",
  ...more: string[]
): Promise<string> {
  const args = ["-q", "-t", type, "-N", passphrase, "-C", "made-up", "-f", path, ...more];
  const { success, stderr } = await new Deno.Command("ssh-keygen", { args, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${path}.pub`);
}
