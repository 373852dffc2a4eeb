import { posix, win32 } from "node:path";
import { z } from "zod";
import { secretReference } from "../../../src/model/secret_reference.ts";

/** The part of the config that is ours; `options` is whatever the file wants. */
export const settings = z.strictObject({
  path: z.string()
    .refine((path) => posix.isAbsolute(path) || win32.isAbsolute(path), {
      error: 'must be an absolute path, such as "/etc/vaultferry/mine.mjs"',
    })
    .describe("the plugin: one JavaScript module that imports nothing, which only its owner can write"),
  sha256: z.string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be the SHA-256 of the plugin in 64 hexadecimal digits (sha256sum FILE)")
    .describe("SHA-256 of the plugin: other bytes than these are never run"),
  options: z.record(z.string(), z.unknown()).default({})
    .describe("what the plugin wants to know, as its author says; no secrets"),
  secrets: z.record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, {
      error: "is no name for a secret: letters, digits and _",
    }),
    secretReference,
  ).default({}).describe("secrets that the plugin wants, by the names that its author says"),
  timeout: z.int().min(1).max(86_400).default(120)
    .describe("seconds without a sign of life after which a call of the plugin is given up"),
});

/** What {@linkcode settings} parse to. */
export type PluginSettings = z.infer<typeof settings>;
