import { z } from "zod";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import type { World } from "../../src/base/world.ts";
import { loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import type { Registry } from "../../src/config/registry.ts";
import { secretReference } from "../../src/model/secret_reference.ts";

const path = z.string().min(1);
const optional = path.optional();

function plugin(type: string, shape: z.ZodRawShape) {
  const open = () => Promise.reject(new Error("is never opened here"));
  // Not strict: that is for the whole config to see to.
  return { type, summary: `${type} for tests`, config: z.object(shape), open };
}

/** The types of DESIGN.md's example, as bare as they can be: the plugins' own messages are tested with them. */
export const registry: Registry = {
  sources: [
    plugin("onepassword-sdk", { token: secretReference }),
    plugin("onepux", { path }),
  ],
  destinations: [
    plugin("local", { path }),
    plugin("azure-blob", { account: path, container: path, prefix: optional, sas: secretReference }),
    plugin("gcs", { bucket: path, prefix: optional, keyFile: path }),
    plugin("webdav", { url: z.url(), username: path, password: secretReference }),
    plugin("s3", {
      bucket: path,
      region: path,
      endpoint: optional,
      class: z.enum(["STANDARD", "GLACIER"]).optional(),
      accessKeyId: path,
      secretAccessKey: secretReference,
    }),
    plugin("sftp", {
      host: path,
      port: z.int().min(1).max(65535).default(22),
      username: path,
      path,
      privateKey: secretReference,
      knownHosts: path,
    }),
  ],
};

/** The example of DESIGN.md, its two recipients made different. */
export const EXAMPLE = `version: 1
jobs:
  acme:                                # [a-z0-9-]{1,40}
    source:
      type: onepassword-sdk            # {token} | onepux {path} | …
      token: file:/etc/vaultferry/acme.token   # a secret is a reference
    vaults: {include: [], exclude: [Sandbox], expect: [Finance]}   # by id or name
    recipients: [age1…a, age1…b]         # or named groups {people: […], recovery: […]}
    compression: zstd                  # or gzip: opens anywhere
    destinations:
      - {name: nas, type: local, path: /srv/backups}
      - {name: azure, type: azure-blob, account: acmebackups, container: vaults, prefix: x/, sas: file:/etc/vaultferry/azure.sas}
      - {name: gcs, type: gcs, bucket: acme, prefix: x/, keyFile: /etc/vaultferry/gcs.json}
      - {name: dav, type: webdav, url: 'https://dav.example/backups/', username: u, password: file:/etc/vaultferry/dav}
      - {name: s3, type: s3, bucket: acme, region: eu-central-1, endpoint: …, accessKeyId: …, secretAccessKey: file:…}
      - {name: box, type: sftp, host: h, port: 22, username: u, path: /backups, privateKey: file:…, knownHosts: …}
    retention: {keepWithin: 7d, keepDaily: 14, keepWeekly: 8, keepMonthly: 24}   # none: nothing is ever pruned
`;

/** A small config that is fine; tests change one line of it. */
export const SMALL = `version: 1
jobs:
  acme:
    source: {type: onepux, path: /export.1pux}
    recipients: [age1aaa]
    destinations:
      - {name: nas, type: local, path: /srv/backups}
`;

/** A world with no environment but the given. */
export function worldWith(env: Record<string, string> = {}, changes: Partial<World> = {}): World {
  return { ...denoWorld(), env: (name) => env[name] || undefined, ...changes };
}

/** Runs `action` with a folder of its own. */
export async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Loads `text` as a config. */
export function load(text: string | Uint8Array<ArrayBuffer>, world = worldWith()): Promise<LoadedConfig> {
  return inFolder(async (folder) => {
    const file = `${folder}/vaultferry.yaml`;
    await Deno.writeFile(file, typeof text === "string" ? new TextEncoder().encode(text) : text);
    await Deno.chmod(file, 0o644);
    return await loadConfig(world, file, registry);
  });
}

/** The lines that loading `text` is refused with, the file's path shortened to `F`. */
export async function refusalOf(
  text: string | Uint8Array<ArrayBuffer>,
  world = worldWith(),
): Promise<string[]> {
  const error = await errorOf(load(text, world));
  if (error.code !== "misconfigured") throw error;
  return error.message.replaceAll(/\/[^\s":]*\/vaultferry\.yaml/g, "F").split("\n");
}

/** The AppError that `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
