import { posix, win32 } from "node:path";
import { z } from "zod";
import { secretReference } from "../../../src/model/secret_reference.ts";

/** A name, an IPv4 or an IPv6 address; without a port, a user or brackets. */
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$/;

/** Characters that no name of a user or folder holds. */
// deno-lint-ignore no-control-regex -- control characters are exactly what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

const path = z.string().min(1).refine((path) => !CONTROL.test(path), { error: "must be one line" })
  .refine((path) => !path.startsWith("~"), {
    error: "begins at the home folder when it does not begin with a slash: leave ~ out",
  })
  .refine((path) => !path.split("/").includes(".."), { error: 'must not hold ".."' });

/** The plugin's own part of the config. */
export const sftpSettings = z.strictObject({
  host: z.string().regex(HOST, "must be the name or address of a host alone, without sftp:// and port")
    .describe("server that keeps the archives"),
  port: z.int().min(1).max(65_535).default(22).describe("port of its SSH service"),
  username: z.string().min(1).refine((name) => !CONTROL.test(name), { error: "must be one line" })
    .describe("user to sign in as"),
  path: path.describe(
    "folder that keeps the archives, from the root (/srv/backups) or from the user's home (backups); it must exist",
  ),
  privateKey: secretReference.optional()
    .describe("private key to sign in with (OpenSSH, PEM or PuTTY), as a reference"),
  passphrase: secretReference.optional().describe("what the private key is encrypted with, as a reference"),
  agent: z.union([
    z.literal(true),
    z.string().refine((path) => posix.isAbsolute(path), { error: "must be true or an absolute path" }),
  ]).optional().describe("true: sign in with the agent at $SSH_AUTH_SOCK; or the path of an agent's socket"),
  password: secretReference.optional().describe("password to sign in with, as a reference"),
  knownHosts: z.union([z.string(), z.array(z.string())]).superRefine((given, context) => {
    const isPath = typeof given === "string" && !/\s/.test(given.trim());
    if (isPath && !posix.isAbsolute(given) && !win32.isAbsolute(given)) {
      context.addIssue({
        code: "custom",
        message: "must be the absolute path of a known_hosts file, or lines such as " +
          '"nas.example ssh-ed25519 AAAA…"',
      });
    }
  }).describe(
    "which key the server has: the path of a known_hosts file, or its lines; nothing is trusted at first sight",
  ),
  access: z.literal("full", {
    error: 'cannot be "create-only" over SFTP, where whoever can store can also remove: ' +
      "protect the copies on the server, with snapshots or an append-only folder",
  }).default("full").describe("over SFTP always full"),
}).superRefine(({ privateKey, passphrase, agent, password }, context) => {
  const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (privateKey === undefined && agent === undefined && password === undefined) {
    say("privateKey", "is missing: give a privateKey, an agent or a password to sign in with");
  }
  if (passphrase !== undefined && privateKey === undefined) say("passphrase", "belongs to a privateKey");
});

/** What {@linkcode sftpSettings} parse to. */
export type SftpSettings = z.infer<typeof sftpSettings>;
