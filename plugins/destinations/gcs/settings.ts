import { posix, win32 } from "node:path";
import { z } from "zod";
import { accessSetting } from "../../../src/destination/access.ts";
import { httpSettings, isPrivateWay } from "../../../src/destination/http/settings.ts";
import { prefixSetting, timeoutSetting } from "../../../src/destination/settings.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";

/** Names that Google takes: 3 to 63 characters, with dots up to 222. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

const endpoint = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const say = (message: string) => context.addIssue({ code: "custom", message });
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    say("must be an address such as https://storage-acme.p.googleapis.com");
  } else if (url.username !== "" || url.password !== "") say("must hold no credentials");
  else if (!isPrivateWay(url)) say("must begin with https://: an access token is sent to it");
});

/** The plugin's own part of the config. */
export const gcsSettings = z.strictObject({
  bucket: z.string().regex(BUCKET, "must be a bucket's name alone, without gs://")
    .describe("bucket that keeps the archives; it must exist"),
  prefix: prefixSetting("bucket"),
  keyFile: z.union([
    z.string().refine((path) => posix.isAbsolute(path) || win32.isAbsolute(path), {
      error: "must be the absolute path of a key file, or a reference such as credential:NAME",
    }),
    secretReference,
  ]).optional().describe(
    "service account's key (JSON) or workload identity's configuration; else application-default credentials",
  ),
  endpoint: endpoint.default("https://storage.googleapis.com")
    .describe("address of the service, where it is a private one"),
  timeout: timeoutSetting,
  ...accessSetting,
  ...httpSettings,
});

/** What {@linkcode gcsSettings} parse to. */
export type GcsSettings = z.infer<typeof gcsSettings>;
