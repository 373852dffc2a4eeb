import type { Registry } from "../src/config/registry.ts";
import { azureBlob } from "./destinations/azure_blob/mod.ts";
import { gcs } from "./destinations/gcs/mod.ts";
import { local } from "./destinations/local/mod.ts";
import { plugin } from "./destinations/plugin/mod.ts";
import { s3 } from "./destinations/s3/mod.ts";
import { sftp } from "./destinations/sftp/mod.ts";
import { webdav } from "./destinations/webdav/mod.ts";
import { onepasswordConnect } from "./sources/onepassword_connect/mod.ts";
import { onepasswordCli } from "./sources/onepassword_cli/mod.ts";
import { onepux } from "./sources/onepux/mod.ts";
import { onepasswordSdk } from "./sources/onepassword_sdk/mod.ts";

/** Every kind of source and destination that this binary knows: the one place where they are listed. */
export const registry: Registry = {
  sources: [onepasswordSdk, onepasswordCli, onepux, onepasswordConnect],
  destinations: [local, azureBlob, gcs, s3, webdav, sftp, plugin],
};
