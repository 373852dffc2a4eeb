import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { Capabilities, PutOptions } from "./contract.ts";

/** The setting of a destination whose credentials may only create, to be spread into a plugin's own part. */
export const accessSetting = {
  access: z.enum(["full", "create-only"]).default("full").describe(
    "create-only: the credentials may create and nothing else; nothing is read back, listed or pruned from here",
  ),
};

/** What an opening may, given what its kind of service offers. */
export function capabilitiesFor(access: "full" | "create-only", offered: Capabilities): Capabilities {
  return access === "full" ? offered : { ...offered, read: false, list: false, remove: false };
}

/** Throws `unsupported` on what was asked for and is not to be had; the first line of every `put`. */
export function refuseUnsupported(can: Capabilities, options: PutOptions | undefined): void {
  if (options?.immutableUntil && !can.immutableUntil) {
    throw new AppError("unsupported", "this destination cannot lock what it stores against removal");
  }
}

/** Throws `unsupported` where this opening may not do `what`; the first line of every other call. */
export function refuseUnlessAble(can: Capabilities, what: "read" | "list" | "remove"): void {
  if (!can[what]) {
    throw new AppError("unsupported", `its credentials may only create, so nothing can be ${PAST[what]}`, {
      hint: what === "remove"
        ? 'give it "prune:" credentials in the config, or do this where there are some'
        : 'give it "read:" credentials in the config, or do this where there are some',
    });
  }
}

const PAST = { read: "read", list: "listed", remove: "removed" };
