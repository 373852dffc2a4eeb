import type { DestinationPlugin } from "../../../src/destination/plugin.ts";
import { s3Settings } from "./settings.ts";

/** A bucket at Amazon S3, or at a service that speaks its protocol. */
export const s3: DestinationPlugin = {
  type: "s3",
  summary: "a bucket at Amazon S3, MinIO, Cloudflare R2, Backblaze B2 or another service of this kind",
  config: s3Settings,
  place: ["endpoint", "bucket", "prefix"],
  async open(name, settings, context, signal) {
    // Amazon's library is loaded only where it is used.
    const { openS3 } = await import("./open.ts");
    return await openS3(name, s3Settings.parse(settings), context, signal);
  },
};
