/** Debian's Apache with mod_dav, as a child process with a configuration and folders of its own. */
import { createHash } from "node:crypto";
import { type Child, startChild } from "../child.ts";

export const USER = "backup", PASSWORD = 'made up "\\ pass/word';
const REALM = "made up";
const MODULES = "/usr/lib/apache2/modules";

export interface ApacheOptions {
  /** `none` lets everybody in. */
  auth?: "basic" | "digest" | "none";
  /** Seconds after which a nonce is refused as stale. */
  nonceLifetime?: number;
  /** PEM. */
  tls?: { cert: string; key: string };
  /** More of its configuration, within the folder that is served. */
  directives?: readonly string[];
}

/** The program and all modules that are needed; the reason where it is not there. */
export async function missingApache(): Promise<string | undefined> {
  for (const path of ["/usr/sbin/apache2", `${MODULES}/mod_dav_fs.so`]) {
    if (!await Deno.stat(path).catch(() => undefined)) return `there is no ${path} (Debian: apache2)`;
  }
  return undefined;
}

export class Apache implements AsyncDisposable {
  private constructor(readonly child: Child, readonly scratch: string, readonly tls: boolean) {}

  static async start(options: ApacheOptions = {}): Promise<Apache> {
    const scratch = await Deno.makeTempDir({ prefix: "vaultferry-apache-" });
    await Deno.mkdir(`${scratch}/dav/my backups`, { recursive: true });
    await Deno.mkdir(`${scratch}/run`);
    await Deno.writeTextFile(`${scratch}/digest`, digestLine(USER, PASSWORD));
    await Deno.writeTextFile(`${scratch}/basic`, basicLine(USER, PASSWORD));
    for (const [name, text] of Object.entries(options.tls ?? {})) {
      await Deno.writeTextFile(`${scratch}/${name}.pem`, text);
    }
    // Apache will not serve as root, and needs a user of its own then.
    const root = Deno.uid() === 0;
    if (root) await run("chown", "-R", "www-data:www-data", scratch);
    await run("chmod", "-R", "u+rwX,go+rX", scratch);
    const child = await startChild({
      program: "/usr/sbin/apache2",
      args(port) {
        Deno.writeTextFileSync(`${scratch}/apache.conf`, configuration(scratch, port, root, options));
        return ["-f", `${scratch}/apache.conf`, "-DFOREGROUND"];
      },
    });
    return new Apache(child, scratch, options.tls !== undefined);
  }

  get port(): number {
    return this.child.port;
  }

  /** Where the folder `my backups` is. */
  url(port = this.port, host = "127.0.0.1"): string {
    return `${this.tls ? "https" : "http"}://${host}:${port}/dav/my%20backups/`;
  }

  /** The same in the file system. */
  get folder(): string {
    return `${this.scratch}/dav/my backups`;
  }

  /** Stores a file that Apache may read and remove. */
  async plant(name: string, text = "planted"): Promise<void> {
    const path = `${this.folder}/${name}`, folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(path, text);
    if (Deno.uid() === 0) await run("chown", "-R", "www-data:www-data", this.folder);
  }

  async [Symbol.asyncDispose]() {
    await this.child[Symbol.asyncDispose]();
    await Deno.remove(this.scratch, { recursive: true });
  }
}

function configuration(
  scratch: string,
  port: number,
  root: boolean,
  { auth = "digest", nonceLifetime = 300, tls, directives = [] }: ApacheOptions,
): string {
  const load = ["authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "dav"]
    .concat("dav_fs", "dir", "mime", "headers", ...(tls ? ["ssl", "socache_shmcb"] : []));
  const [kind, file] = auth === "digest" ? ["Digest", "digest"] : ["Basic", "basic"];
  return [
    `ServerRoot ${scratch}`,
    "ServerName localhost",
    `PidFile ${scratch}/run/pid`,
    `Listen 127.0.0.1:${port}`,
    `LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so`,
    ...load.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
    ...(root ? ["User www-data", "Group www-data"] : []),
    "StartServers 1\nServerLimit 1\nThreadsPerChild 24\nMaxRequestWorkers 24\nMinSpareThreads 1\nMaxSpareThreads 24",
    `Mutex file:${scratch}/run`,
    `ErrorLog "|/bin/cat"`,
    "TypesConfig /etc/mime.types",
    `DavLockDB ${scratch}/run/lock`,
    `DocumentRoot ${scratch}`,
    ...(tls
      ? ["SSLEngine on", `SSLCertificateFile ${scratch}/cert.pem`, `SSLCertificateKeyFile ${scratch}/key.pem`]
      : []),
    `<Directory "${scratch}/dav">`,
    "Dav On",
    ...(auth === "none" ? ["Require all granted"] : [
      `AuthType ${kind}`,
      `AuthName "${REALM}"`,
      `Auth${kind}Provider file`,
      `AuthUserFile ${scratch}/${file}`,
      ...(auth === "digest" ? [`AuthDigestNonceLifetime ${nonceLifetime}`] : []),
      "Require valid-user",
    ]),
    ...directives,
    "</Directory>",
    "",
  ].join("\n");
}

function digestLine(user: string, password: string): string {
  const hash = createHash("md5").update(`${user}:${REALM}:${password}`).digest("hex");
  return `${user}:${REALM}:${hash}\n`;
}

function basicLine(user: string, password: string): string {
  return `${user}:{SHA}${createHash("sha1").update(password).digest("base64")}\n`;
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}
