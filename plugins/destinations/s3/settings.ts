import { z } from "zod";
import { accessSetting } from "../../../src/destination/access.ts";
import { httpSettings } from "../../../src/destination/http/settings.ts";
import { prefixSetting, timeoutSetting } from "../../../src/destination/settings.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";

/** Names of buckets, and of access points' aliases. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

const endpoint = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const say = (message: string) => context.addIssue({ code: "custom", message });
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    say("must be an address such as https://s3.eu-central-003.backblazeb2.com");
  } else if (url.username !== "" || url.password !== "") {
    say("must hold no credentials: give them as accessKeyId and secretAccessKey");
  }
}).transform((text) => text.replace(/\/+$/, ""));

/** The plugin's own part of the config. */
export const s3Settings = z.strictObject({
  bucket: z.string().regex(BUCKET, "must be a bucket's name alone, without s3://")
    .describe("bucket that keeps the archives; it must exist"),
  region: z.string().regex(/^[a-z0-9-]{1,40}$/, "must be a region's name, such as eu-central-1").optional()
    .describe("the bucket's region; else that of AWS_REGION or of the profile, us-east-1 with an endpoint"),
  endpoint: endpoint.optional()
    .describe("address of the service, where it is not Amazon's: MinIO, Cloudflare R2, Backblaze B2, Ceph …"),
  prefix: prefixSetting("bucket"),
  accessKeyId: z.string().regex(/^[^\s/,]{1,128}$/, "is no access key's name").optional()
    .describe(
      "the access key's name; without it: the profile, the environment, web identity, this machine's role",
    ),
  secretAccessKey: secretReference.optional().describe("the access key's secret part, as a reference"),
  sessionToken: secretReference.optional().describe("belongs to temporary access keys, as a reference"),
  profile: z.string().min(1).optional().describe(
    "profile in ~/.aws/config and ~/.aws/credentials to sign in with",
  ),
  pathStyle: z.boolean().optional()
    .describe("whether the bucket's name stands in the path instead of the host; true with an endpoint"),
  conditionalWrites: z.boolean().default(true).describe(
    "false for a service that does not know If-None-Match (Backblaze B2): then only a look before each upload keeps it from replacing what another host stores at that moment",
  ),
  checksums: z.enum(["sha256", "md5"]).default("sha256")
    .describe(
      "what the service compares each upload with; md5 for one that does not know x-amz-checksum-sha256",
    ),
  timeout: timeoutSetting,
  ...accessSetting,
  ...httpSettings,
}).superRefine(({ accessKeyId, secretAccessKey, sessionToken, profile }, context) => {
  const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (accessKeyId === undefined && secretAccessKey !== undefined) {
    say("accessKeyId", "belongs to secretAccessKey");
  }
  if (accessKeyId !== undefined && secretAccessKey === undefined) {
    say("secretAccessKey", "belongs to accessKeyId");
  }
  if (sessionToken !== undefined && accessKeyId === undefined) {
    say("sessionToken", "is given without an accessKeyId");
  }
  if (profile !== undefined && accessKeyId !== undefined) say("profile", "is given besides an accessKeyId");
});

/** What {@linkcode s3Settings} parse to. */
export type S3Settings = z.infer<typeof s3Settings>;
