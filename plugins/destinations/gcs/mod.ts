import type { DestinationPlugin } from "../../../src/destination/plugin.ts";
import { gcsSettings } from "./settings.ts";

/** A bucket at Google Cloud Storage. */
export const gcs: DestinationPlugin = {
  type: "gcs",
  summary: "a bucket at Google Cloud Storage",
  config: gcsSettings,
  place: ["endpoint", "bucket", "prefix"],
  async open(name, settings, context, signal) {
    // Google's library is loaded only where it is used.
    const { openGcs } = await import("./open.ts");
    return await openGcs(name, gcsSettings.parse(settings), context, signal);
  },
};
