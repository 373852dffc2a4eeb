import { isDeepStrictEqual } from "node:util";
import { posix, win32 } from "node:path";
import { z } from "zod";
import { fromBase64 } from "../base/bytes.ts";
import { JOB_NAME } from "../model/archive_name.ts";
import { PLANS } from "../model/quota.ts";
import { SPAN } from "../policy/calendar.ts";
import type { DestinationPlugin } from "../destination/plugin.ts";
import type { SourcePlugin } from "../source/plugin.ts";
import { accessShape, checkPurposes, type DestinationAccess, destinationOptions } from "./destination.ts";
import type { Registry } from "./registry.ts";
import { vaults } from "./vault_choice.ts";

/** A job's source: `type` names the plugin, the rest is the plugin's own part. */
export interface SourceConfig {
  type: string;
  [key: string]: unknown;
}

/** One destination of a job: `type` names the plugin. */
export interface DestinationConfig extends DestinationAccess {
  /** In place of the job's. */
  retention?: Retention | undefined;
}

const PRIVATE_KEY = /AGE-SECRET-KEY-|-----BEGIN [A-Z ]*PRIVATE KEY/i;

const count = (description: string) => z.int().min(1).max(100_000).optional().meta({ description });

const signer = z.string()
  .refine((key) => !PRIVATE_KEY.test(key), {
    error: "is a private key: give the public key that belongs to it (ssh-keygen -y)",
    abort: true,
  })
  .refine(isEd25519PublicKey, { error: "is not an ssh-ed25519 public key: ssh-ed25519 AAAA… comment" })
  .meta({ description: "a public key as in an authorized_keys file: ssh-ed25519 AAAA… comment" });

const recipient = z.string().min(1).refine((recipient) => !PRIVATE_KEY.test(recipient), {
  error: "is a private key: give the age1… recipient that belongs to it (age-keygen -y)",
  abort: true,
}).refine((recipient) => !recipient.startsWith("file:") || isAbsolute(recipient.slice("file:".length)), {
  error: "must be an absolute path after file:",
}).meta({
  description: "someone who can open the archives: an age1… recipient, or file:/path of a list of them",
});

const recipientList = z.array(recipient).min(1).superRefine((list, context) =>
  list.forEach((one, index) => {
    const first = list.indexOf(one);
    if (first < index) {
      context.addIssue({ code: "custom", path: [index], message: `is the same as [${first}]` });
    }
  })
);

const recipientGroups = z.record(
  z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, {
    error: "is not a group name: 1 to 40 letters, digits, hyphens and underscores",
  }),
  recipientList,
).refine((groups) => Object.keys(groups).length > 0, { error: "holds no group" });

const retention = z.strictObject({
  keepLast: count("keep this many of the newest archives"),
  keepHourly: count("keep the last archive of each of this many hours"),
  keepDaily: count("keep the last archive of each of this many days"),
  keepWeekly: count("keep the last archive of each of this many weeks"),
  keepMonthly: count("keep the last archive of each of this many months"),
  keepYearly: count("keep the last archive of each of this many years"),
  keepWithin: z.string().regex(SPAN, {
    error: "is not a duration such as 12h, 7d, 2w, 3m (months), 1y or 1y5m7d2h",
  }).optional().meta({
    description:
      "keep every archive younger than this: hours, days, weeks, months (m), years, as in 12h, 7d, 1y5m7d2h",
  }),
}).refine((retention) => Object.keys(retention).length > 0, {
  error:
    "says nothing: give one of keepLast, keepWithin, keepDaily …, or leave retention out to prune nothing",
  // An unknown key is said already.
  when: ({ issues }) => issues.length === 0,
});

/** What is kept of a job's archives; never fewer than the safeguards of pruning ask for. */
export type Retention = z.infer<typeof retention>;

const quota = z.strictObject({
  plan: z.enum(PLANS).meta({ description: "the account's plan at 1Password: its name on the bill" }),
});

const RETENTION = "which archives to keep; without it nothing is ever pruned";

/** The plugins' parts, told apart by `type`, each with its `shape` added, and with a `check` of the whole. */
function oneOf<T, Plugin extends SourcePlugin | DestinationPlugin>(
  plugins: readonly Plugin[],
  shape: (plugin: Plugin) => z.ZodRawShape = () => ({}),
  check: (plugin: Plugin) => (config: unknown, context: z.RefinementCtx) => void = () => () => {},
): z.ZodType<T> {
  const options = plugins.map((plugin) => {
    const type = z.literal(plugin.type).meta({ description: plugin.summary });
    return plugin.config.safeExtend({ ...shape(plugin), type }).strict().superRefine(check(plugin))
      .meta({ description: plugin.summary });
  });
  return z.discriminatedUnion(
    "type",
    options as [z.ZodObject<{ type: z.ZodLiteral<string> }>],
  ) as unknown as z.ZodType<T>;
}

function job(registry: Registry) {
  const source = () => oneOf<SourceConfig, SourcePlugin>(registry.sources);
  const destination = oneOf<DestinationConfig, DestinationPlugin>(registry.destinations, (plugin) => ({
    ...accessShape(plugin),
    retention: retention.optional().meta({ description: `${RETENTION}; in place of the job's` }),
  }), checkPurposes);
  return z.strictObject({
    source: source().meta({ description: "where the vaults come from" }),
    also: z.array(source()).default([]).meta({
      description: "other ways to the same account, for what the source does not give",
    }),
    vaults: vaults.prefault({}).meta({
      description: "which vaults; every vault that can be seen where left out",
    }),
    recipients: z.union([recipientList, recipientGroups]).meta({
      description:
        "who can open the archives: a list of public keys, or lists with names such as people and recovery",
    }),
    compression: z.enum(["zstd", "gzip"]).default("zstd").meta({
      description: "zstd, or gzip: opens anywhere",
    }),
    destinations: z.array(destination).min(1).superRefine(tellApart(registry.destinations)).meta({
      description: "where the archives go, each on its own",
    }),
    retention: retention.optional().meta({ description: RETENTION }),
    spool: z.strictObject({
      keep: z.int().min(1).max(10_000).default(30).meta({
        description: "how many archives may wait here for a destination that is away",
      }),
    }).prefault({}).meta({ description: "the archives that wait on this host, encrypted" }),
    quota: quota.optional().meta({
      description: "what 1Password allows this account, to compare a backup's calls with",
    }),
  }).superRefine(tellDoorsApart);
}

/** The whole config, with the parts that the registry's plugins bring. */
export function configSchema(registry: Registry) {
  return z.strictObject({
    version: z.literal(1).meta({ description: "the version of this format: 1" }),
    state: z.string().refine(isAbsolute, {
      error: "must be an absolute path",
    }).optional().meta({
      description: "the folder for what vaultferry remembers between runs; an absolute path",
    }),
    signers: z.array(signer).optional().meta({
      description: "public keys whose signatures on archives are trusted, besides this host's own",
    }),
    jobs: z.record(
      z.string().regex(JOB_NAME, { error: "is not a job name: 1 to 40 of a-z, 0-9 and hyphen" }),
      job(registry),
    ).refine((jobs) => Object.keys(jobs).length > 0, { error: "holds no job" })
      .transform((jobs) =>
        Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, { name, ...job }]))
      )
      .meta({ description: "what to back up, by name: 1 to 40 of a-z, 0-9 and hyphen" }),
  });
}

/** A config that has been checked. */
export type Config = z.infer<ReturnType<typeof configSchema>>;

/** One job of a {@linkcode Config}, with its name. */
export type JobConfig = Config["jobs"][string];

/** The schema as JSON Schema (draft 2020-12), for editors. */
export function jsonSchema(registry: Registry): Record<string, unknown> {
  const schema = configSchema(registry).meta({ title: "vaultferry config" });
  return z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", unrepresentable: "any" });
}

/** What belongs to the source plugin of a job: what its own schema describes. */
export function sourceOptions({ type: _, ...options }: SourceConfig): Record<string, unknown> {
  return options;
}

/** The same door twice would be asked twice for what it does not have. */
function tellDoorsApart(
  { source, also }: { source: SourceConfig; also: SourceConfig[] },
  context: z.RefinementCtx,
): void {
  const same = (one: SourceConfig, other: SourceConfig) =>
    one.type === other.type && isDeepStrictEqual(normal(sourceOptions(one)), normal(sourceOptions(other)));
  also.forEach((door, index) => {
    const first = also.slice(0, index).findIndex((other) => same(other, door));
    const twin = same(source, door) ? "the job's source" : first < 0 ? undefined : `[${first}]`;
    if (twin === undefined) return;
    context.addIssue({ code: "custom", path: ["also", index], message: `is the same as ${twin}` });
  });
}

/** Two destinations of a job must differ in name, and in what they are: the same place twice is one copy. */
function tellApart(plugins: readonly DestinationPlugin[]) {
  const placeOf = (destination: DestinationConfig): Record<string, unknown> => {
    const options = normal(destinationOptions(destination));
    const settings = plugins.find(({ type }) => type === destination.type)?.place ?? Object.keys(options);
    return Object.fromEntries(settings.map((name) => [name, options[name]]));
  };
  return (list: DestinationConfig[], context: z.RefinementCtx): void =>
    list.forEach((destination, index) => {
      const before = list.slice(0, index);
      const same = before.find((other) =>
        other.type === destination.type &&
        isDeepStrictEqual(placeOf(other), placeOf(destination))
      );
      if (before.some((other) => other.name === destination.name)) {
        context.addIssue({
          code: "custom",
          path: [index, "name"],
          message: `"${destination.name}" is taken already`,
        });
      } else if (same) {
        context.addIssue({ code: "custom", path: [index], message: `is the same place as "${same.name}"` });
      }
    });
}

/** A plugin's part with `path` written in one way: `/a/`, `/a` and `/a/.` are one folder. */
function normal(options: Record<string, unknown>): Record<string, unknown> {
  if (typeof options.path !== "string") return options;
  const windows = /^[A-Za-z]:|^\\\\/.test(options.path);
  const path = windows ? win32.normalize(options.path).toLowerCase() : posix.normalize(options.path);
  return { ...options, path: path.replace(/(?<=.)[\\/]+$/, "") };
}

/** Of either kind of path: the schema does not know the platform. */
function isAbsolute(path: string): boolean {
  return posix.isAbsolute(path) || win32.isAbsolute(path);
}

/** `ssh-ed25519`, then base64 of the name and 32 bytes, each with its length before it; then maybe a comment. */
function isEd25519PublicKey(line: string): boolean {
  const [name, data, ...comment] = line.trim().split(" ");
  if (name !== "ssh-ed25519" || !data || /[\r\n]/.test(comment.join(" "))) return false;
  try {
    const bytes = fromBase64(data, "the key");
    const head = `\0\0\0\x0b${name}\0\0\0\x20`;
    return bytes.length === head.length + 32 &&
      String.fromCharCode(...bytes.subarray(0, head.length)) === head;
  } catch {
    return false; // the message above says what it should be
  }
}
