/** Debian's lighttpd with mod_webdav, as a child process with a configuration and folders of its own. */
import { startChild } from "../child.ts";
import { plantFile } from "./folder.ts";

export async function startLighttpd(user: string, password: string) {
  const scratch = await Deno.makeTempDir({ prefix: "vaultferry-lighttpd-" });
  const folder = `${scratch}/dav/backups`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.mkdir(`${scratch}/uploads`);
  await Deno.writeTextFile(`${scratch}/users`, `${user}:${password}\n`);
  const child = await startChild({
    program: "/usr/sbin/lighttpd",
    args(port) {
      Deno.writeTextFileSync(`${scratch}/lighttpd.conf`, configuration(scratch, port));
      return ["-D", "-f", `${scratch}/lighttpd.conf`];
    },
  });
  return {
    port: child.port,
    path: "/dav/backups/",
    folder,
    plant: (name: string) => plantFile(folder, name),
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await Deno.remove(scratch, { recursive: true });
    },
  };
}

function configuration(scratch: string, port: number): string {
  return [
    'server.modules = ("mod_auth", "mod_authn_file", "mod_webdav")',
    `server.document-root = "${scratch}"`,
    'server.bind = "127.0.0.1"',
    `server.port = ${port}`,
    `server.upload-dirs = ("${scratch}/uploads")`,
    'auth.backend = "plain"',
    `auth.backend.plain.userfile = "${scratch}/users"`,
    'auth.require = ("" => ("method" => "basic", "realm" => "made up", "require" => "valid-user"))',
    'webdav.activate = "enable"',
    "",
  ].join("\n");
}
