import { z } from "zod";
import type { DestinationPlugin } from "../destination/plugin.ts";
import { phrase } from "./issues.ts";

/** How a destination is reached and written to; what is not listed here is the plugin's own part. */
export interface DestinationAccess {
  name: string;
  type: string;
  /** How long nobody can remove what is stored, such as `30d`. */
  immutableFor?: string | undefined;
  /** The plugin's settings that are others for reading: its credentials, most likely. */
  read?: Record<string, unknown> | undefined;
  /** The same for removing old archives. */
  prune?: Record<string, unknown> | undefined;
  [key: string]: unknown;
}

/** What a destination is opened for. */
export type Purpose = "write" | "read" | "prune";

const NAME = /^[a-z0-9-]{1,40}$/;

/** What the house wants to know of every destination, beside the part of its plugin. */
export function accessShape(plugin: DestinationPlugin): z.ZodRawShape {
  const others = (what: string) =>
    overrides(plugin).optional().meta({
      description: `settings that are others ${what}, such as credentials`,
    });
  return {
    name: z.string().regex(NAME, { error: "is not a name: 1 to 40 of a-z, 0-9 and hyphen" })
      .meta({
        description: "what this destination is called in commands and reports; unique within the job",
      }),
    immutableFor: z.string().regex(/^[1-9]\d{0,3}[hdwy]$/, {
      error: "is not a duration such as 36h, 30d, 8w or 1y",
    }).refine(() => plugin.locks !== false, {
      error: `is nothing that "${plugin.type}" can do: it cannot lock what it stores against removal`,
    }).optional().meta({
      description: "nobody can remove or replace an archive before so much time has passed since it was sent",
    }),
    read: others("for reading back, list, verify and restore"),
    prune: others("for removing old archives"),
  };
}

/** Says what is wrong with the settings for reading and pruning once they are put together with the others. */
export function checkPurposes(plugin: DestinationPlugin) {
  return (config: unknown, context: z.RefinementCtx): void => {
    if (context.issues.length > 0) return; // what is wrong with a part is wrong with the whole
    for (const purpose of ["read", "prune"] as const) {
      if ((config as DestinationAccess)[purpose] === undefined) continue;
      const whole = plugin.config.safeParse(destinationOptions(config as DestinationAccess, purpose), {
        error: phrase,
      });
      for (const { path, message } of whole.error?.issues ?? []) {
        context.addIssue({ code: "custom", path: [purpose, ...path], message });
      }
    }
  };
}

/**
 * What belongs to the plugin of a destination, as its own schema describes it: what it is opened with for `purpose`.
 * Settings of `read:` and `prune:` take the place of the others, and have all the access that they are given for.
 */
export function destinationOptions(
  config: DestinationAccess,
  purpose: Purpose = "write",
): Record<string, unknown> {
  const { type: _type, name: _name, retention: _retention, immutableFor: _lock, read, prune, ...own } =
    config;
  const others = purpose === "write" ? undefined : { read, prune }[purpose];
  if (others === undefined) return own;
  return { ...own, ...others, ...("access" in own ? { access: "full" } : {}) };
}

/** The plugin's settings, none of which must be given, and none of which is given by itself. */
function overrides(plugin: DestinationPlugin) {
  const settings = Object.entries(plugin.config.shape).filter(([key]) => key !== "access");
  return z.strictObject(
    Object.fromEntries(settings.map(([key, setting]) => {
      const { description } = setting as z.ZodType;
      return [key, bare(setting as z.ZodType).optional().meta(description ? { description } : {})];
    })),
  ).refine((given) => Object.keys(given).length > 0, {
    error: "says nothing: give the settings that are others, or leave it out",
    // An unknown key is said already.
    when: ({ issues }) => issues.length === 0,
  });
}

/** A setting without its default, which would pass for given. */
function bare(setting: z.ZodType): z.ZodType {
  if (
    setting instanceof z.ZodDefault || setting instanceof z.ZodPrefault || setting instanceof z.ZodOptional
  ) {
    return bare(setting.unwrap() as z.ZodType);
  }
  return setting;
}
