/**
 * An sshd in a mount namespace of its own, where a user of our making exists, with a password and without any rights
 * of root: nothing of the machine is changed. Needs root on Linux.
 */
import assert from "node:assert/strict";
import type { OpenSshOptions } from "./server.ts";

export const FERRY = { username: "ferry", uid: 4242, password: "made-up password/0123456789" };

/** How {@linkcode OpenSsh} is started so that {@linkcode FERRY} may sign in; `folder` is thrown away afterwards. */
export async function asFerry(folder: string): Promise<Pick<OpenSshOptions, "start" | "username">> {
  assert.equal(Deno.uid(), 0, "this test needs root, to have a user of its own");
  const hash = await new Deno.Command("openssl", {
    args: ["passwd", "-6", "-salt", "madeup", "-in", await write("plain", `${FERRY.password}\n`)],
  }).output();
  assert.ok(hash.success, new TextDecoder().decode(hash.stderr));
  const home = `${folder}/home`;
  await Deno.mkdir(home);
  await Deno.chown(home, FERRY.uid, FERRY.uid);
  await Deno.chmod(folder, 0o711);
  const passwd = `${await Deno.readTextFile(
    "/etc/passwd",
  )}ferry:x:${FERRY.uid}:${FERRY.uid}::${home}:/bin/sh\n`;
  const shadow = `root:*:19000:0:99999:7:::\nsshd:!:19000::::::\nferry:${
    new TextDecoder().decode(hash.stdout).trim()
  }:19000:0:99999:7:::\n`;
  const pam = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n";
  const binds = [
    [await write("passwd", passwd, 0o644), "/etc/passwd"],
    [await write("shadow", shadow), "/etc/shadow"],
    [await write("pam", pam, 0o644), "/etc/pam.d/sshd"],
  ];
  const script = `${binds.map(([from, to]) => `mount --bind '${from}' ${to}`).join(" && ")} && exec "$@"`;
  return {
    username: FERRY.username,
    start: {
      program: "unshare",
      args: (sshd) => ["--mount", "--propagation", "private", "sh", "-c", script, "sh", ...sshd],
    },
  };

  async function write(name: string, text: string, mode = 0o600): Promise<string> {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode });
    return `${folder}/${name}`;
  }
}
