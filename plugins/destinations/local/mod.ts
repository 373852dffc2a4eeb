import { z } from "zod";
import { named } from "../../../src/destination/errors.ts";
import type { DestinationPlugin } from "../../../src/destination/plugin.ts";
import { LocalDestination } from "./local_destination.ts";
import { Place } from "./place.ts";

/** Absolute on Unix (`/…`) or on Windows (`D:\…`, `\\server\share…`). */
const ABSOLUTE = /^(\/|[A-Za-z]:[\\/]|\\\\[^\\/]+[\\/][^\\/]+)[^\0]*$/;

const config = z.strictObject({
  path: z.string()
    .regex(ABSOLUTE, 'must be an absolute path, such as "/srv/backups" or "D:\\Backups"')
    .describe("folder that keeps the archives; it must exist, so that a missing mount is noticed"),
});

/** A folder of this machine: a disk, a mounted share. */
export const local: DestinationPlugin = {
  type: "local",
  summary: "a folder on a disk or a mounted share",
  config,
  place: ["path"],
  locks: false,
  async open(name, settings, context, signal) {
    const { files, platform } = context.world;
    const place = new Place(config.parse(settings).path, files, platform.os);
    await named({ name }, "open the folder", signal, () => place.check());
    return new LocalDestination(name, place, context);
  },
};
