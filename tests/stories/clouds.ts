/** Buckets beside the folders of a story, with credentials that may do no more than they are given. */
import assert from "node:assert/strict";
import type { Permission } from "../servers/gcs/identity.ts";
import { GcsServer } from "../servers/gcs/server.ts";
import { S3Server } from "../servers/s3/server.ts";
import { Bucket } from "../servers/s3/store.ts";
import type { Line, Story } from "./harness.ts";

/** What each member of the S3 server may do, by the name of its key. */
const MEMBERS = {
  OWNER: undefined,
  WRITER: ["PutObject", "PutObjectRetention"],
  READER: ["GetObject", "ListBucket"],
  PRUNER: ["GetObject", "ListBucket", "DeleteObject", "AbortMultipartUpload", "ListBucketMultipartUploads"],
} as const;

/** The same of service accounts. */
const ACCOUNTS = {
  OWNER: undefined,
  WRITER: ["storage.objects.create", "storage.objects.setRetention"],
  READER: ["storage.objects.get", "storage.objects.list"],
  PRUNER: ["storage.objects.get", "storage.objects.list", "storage.objects.delete"],
} as const satisfies Record<string, readonly Permission[] | undefined>;

export type Who = keyof typeof MEMBERS;

export class Clouds implements AsyncDisposable {
  /** Nothing below a story's own folder holds a secret. */
  readonly #folder = Deno.makeTempDirSync({ prefix: "vaultferry-clouds-" });

  private constructor(readonly story: Story, readonly gcs: GcsServer, readonly s3: S3Server) {
    story.env.GCE_METADATA_HOST = "127.0.0.1:1";
  }

  static async start(story: Story): Promise<Clouds> {
    const members = Object.entries(MEMBERS).map(([name, may]) => ({
      accessKeyId: name,
      secretAccessKey: `made-up-secret-of-${name}`,
      ...(may ? { may } : {}),
    }));
    const buckets = [new Bucket("plain"), new Bucket("locked", true, true)];
    return new Clouds(story, await GcsServer.start(), await S3Server.start({ members, buckets, page: 3 }));
  }

  /** Credentials at Google. */
  googleKey(who: Who): Line {
    const path = `${this.#folder}/gcs-${who}.json`;
    const account = this.gcs.identity.account(this.#google, ACCOUNTS[who]);
    this.story.private.push({ what: "a service account's key", text: account.private_key!.slice(40, 90) });
    Deno.writeTextFileSync(path, JSON.stringify(account), { mode: 0o600 });
    return { keyFile: path };
  }

  /** Credentials at the S3 service. */
  s3Key(who: Who): Line {
    const path = `${this.#folder}/s3-${who}`, secret = `made-up-secret-of-${who}`;
    this.story.private.push({ what: "an access key's secret", text: secret });
    Deno.writeTextFileSync(path, secret, { mode: 0o600 });
    return { accessKeyId: who, secretAccessKey: `file:${path}` };
  }

  /** Adds the destination "google" to the job. */
  addGoogle(who: Who = "OWNER", more: Line = {}): Line {
    const settings = { bucket: "acme", prefix: "x/", endpoint: this.#google, ...this.googleKey(who) };
    return this.#add({ name: "google", type: "gcs", ...settings, ...more });
  }

  /** Adds the destination "amazon" to the job. */
  addAmazon(who: Who = "OWNER", more: Line = {}): Line {
    const settings = { bucket: "plain", prefix: "x/", endpoint: this.s3.url, ...this.s3Key(who) };
    return this.#add({ name: "amazon", type: "s3", ...settings, ...more });
  }

  /** Names of the job's files in a bucket, without the prefix. */
  stored(where: "google" | "amazon", bucket = "plain"): string[] {
    const names = where === "google"
      ? [...this.gcs.bucket.objects.keys()].sort()
      : this.s3.buckets.get(bucket)!.keys("");
    return names.map((name) => {
      assert.match(name, /^x\/acme\//);
      return name.slice("x/acme/".length);
    });
  }

  /** What is in a file of the job in a bucket. */
  bytes(where: "google" | "amazon", name: string, bucket = "plain"): Uint8Array {
    const key = `x/acme/${name}`;
    const found = where === "google"
      ? this.gcs.bucket.objects.get(key)?.bytes
      : this.s3.buckets.get(bucket)!.current(key)?.bytes;
    return found ?? assert.fail(`there is no ${key}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gcs[Symbol.asyncDispose]();
    await this.s3[Symbol.asyncDispose]();
    Deno.removeSync(this.#folder, { recursive: true });
  }

  get #google(): string {
    return `http://127.0.0.1:${this.gcs.port}`;
  }

  #add(destination: Line): Line {
    this.story.job.destinations.push(destination);
    return destination;
  }
}
