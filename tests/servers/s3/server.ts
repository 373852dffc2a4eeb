/**
 * A strict S3 of our own: signatures, checksums, conditions, parts and locks are checked as the real one checks them.
 *
 * It agrees with `@aws-sdk/client-s3` and with rclone (`tests/plugins/s3_server_test.ts`), so what a destination gets
 * wrong is not excused by a server that looks away. In memory: a test's bodies are small.
 */
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { bodyOf } from "../bodies.ts";
import { Faults } from "./faults.ts";
import { listObjects, listUploads } from "./listings.ts";
import { lockConfiguration, putRetention } from "./lock.ts";
import { abortUpload, completeUpload, createUpload, uploadPart } from "./multipart.ts";
import { deleteObject, getObject, type Kept, putObject } from "./objects.ts";
import { unframed } from "./payload.ts";
import { accessDenied, notImplemented, S3Refusal } from "./refusal.ts";
import { operationOf, requestOf, type S3Answer, type S3Request } from "./request.ts";
import { checkRights, mayDo, type Member } from "./rights.ts";
import { checkSignature } from "./signature.ts";
import { Bucket } from "./store.ts";
import { document, errorDocument } from "./xml.ts";

export interface S3ServerOptions {
  members: readonly Member[];
  buckets: readonly Bucket[];
  region?: string;
  /** Entries that a listing gives at once. */
  page?: number;
  /** The host below which buckets have names of their own. */
  domain?: string;
  tls?: { cert: string; key: string };
}

/** What was asked for, in order, refused or not. */
export interface AskedOperation {
  operation: string;
  key: string;
  member: string | undefined;
  headers: Readonly<Record<string, string>>;
}

export class S3Server implements AsyncDisposable {
  readonly asked: AskedOperation[] = [];
  readonly faults = new Faults();
  readonly buckets: Map<string, Bucket>;
  /** Milliseconds by which the server's clock is ahead of the real one. */
  ahead = 0;
  readonly #members: Map<string, Member>;
  readonly #server: http.Server;

  private constructor(readonly options: S3ServerOptions) {
    this.buckets = new Map(options.buckets.map((bucket) => [bucket.name, bucket]));
    this.#members = new Map(options.members.map((member) => [member.accessKeyId, member]));
    const handle = (came: http.IncomingMessage, answer: http.ServerResponse) =>
      void this.#handle(came, answer).catch(() => came.socket.destroy());
    this.#server = options.tls ? https.createServer(options.tls, handle) : http.createServer(handle);
    this.#server.requestTimeout = 0;
  }

  static async start(options: S3ServerOptions): Promise<S3Server> {
    const server = new S3Server(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(0, "127.0.0.1", resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.options.tls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** The operations that were asked for since the last call. */
  operations(): string[] {
    return this.asked.splice(0).map(({ operation }) => operation);
  }

  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(came: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    const head = requestOf(came, this.options.domain ?? "s3.test");
    const body = await bodyOf(came);
    if (body === undefined) return; // cut off: nothing of it counts
    const request: S3Request = { ...head, body };
    const operation = operationOf(request) ?? "unknown";
    const asked: AskedOperation = {
      operation,
      key: request.key,
      member: undefined,
      headers: request.headers,
    };
    this.asked.push(asked);
    let told: S3Answer | undefined;
    try {
      told = await this.#answer(operation, request, asked);
    } catch (error) {
      if (!(error instanceof S3Refusal)) throw error;
      told = {
        status: error.status,
        headers: { "content-type": "application/xml", ...error.headers },
        body: errorDocument(error.code, error.message, error.more),
      };
    }
    if (!told) return void came.socket.destroy();
    this.#say(request, answer, told);
  }

  #say(request: S3Request, answer: http.ServerResponse, { status, headers = {}, body = "" }: S3Answer): void {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const told = Object.entries({
      ...(typeof body === "string" && body !== "" ? { "content-type": "application/xml" } : {}),
      "content-length": String(bytes.length),
      "x-amz-request-id": "4442587FB7D0A2F9",
      date: this.#now().toUTCString(),
      server: "AmazonS3",
      ...headers,
    }).filter(([, value]) => value !== undefined) as [string, string][];
    answer.writeHead(status, Object.fromEntries(told));
    answer.end(request.method === "HEAD" ? undefined : bytes);
  }

  /** Undefined: the connection is to be closed without a word. */
  async #answer(operation: string, request: S3Request, asked: AskedOperation): Promise<S3Answer | undefined> {
    const { headers, method } = request;
    const framed = headers["x-amz-decoded-content-length"] !== undefined;
    if (headers["transfer-encoding"] !== undefined && !framed) throw notImplemented();
    if (!framed && ["PUT", "POST"].includes(method) && headers["content-length"] === undefined) {
      throw new S3Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
    const signed = checkSignature(request, this.#members, this.options.region ?? "us-east-1", this.#now());
    asked.member = signed.signer.accessKeyId;
    const whole = unframed(request, signed);
    const member = this.#members.get(signed.signer.accessKeyId)!;
    const fault = this.faults.next(operation, whole);
    if (fault?.do === "refuse") throw fault.with;
    if (fault?.do === "answer") return fault;
    if (fault?.do === "wait") await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const kept: Kept = (bytes) =>
      fault?.do === "truncate" ? bytes.subarray(0, Math.max(0, bytes.length - 1)) : bytes;
    const told = this.#perform(operation, whole, member, kept);
    if (fault?.do === "lose answer") return undefined;
    return fault?.do === "alter" ? fault.alter(told) : told;
  }

  #perform(operation: string, request: S3Request, member: Member, kept: Kept): S3Answer {
    const { bucket: name, query } = request;
    const page = this.options.page ?? 1000;
    if (operation === "unknown") throw notImplemented();
    if (operation === "ListBuckets") return this.#listBuckets(member);
    if (operation === "CreateBucket") return this.#createBucket(name, member, request);
    const bucket = this.buckets.get(name);
    if (!bucket) {
      throw new S3Refusal(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
    }
    checkRights(member, operation, request);
    switch (operation) {
      case "HeadBucket":
        return { status: 200, headers: { "x-amz-bucket-region": this.options.region ?? "us-east-1" } };
      case "DeleteBucket":
        if (bucket.versions.size > 0) {
          throw new S3Refusal(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
        }
        this.buckets.delete(name);
        return { status: 204 };
      case "GetBucketLocation":
        return { status: 200, body: document("LocationConstraint", {}) };
      case "GetBucketVersioning":
        return {
          status: 200,
          body: document("VersioningConfiguration", bucket.versioned ? { Status: "Enabled" } : {}),
        };
      case "GetObjectLockConfiguration":
        return lockConfiguration(bucket);
      case "ListObjects":
      case "ListObjectsV2":
        return listObjects(request, bucket, page, query.get("list-type") === "2");
      case "ListMultipartUploads":
        return listUploads(request, bucket, page);
      case "PutObject":
        return putObject(request, bucket, kept);
      case "GetObject":
      case "HeadObject":
        // To whom nothing is listed, nothing is told of what is not there.
        if (!bucket.current(request.key) && !mayDo(member, "ListBucket")) throw accessDenied();
        return getObject(request, bucket);
      case "DeleteObject":
        return deleteObject(request, bucket);
      case "PutObjectRetention":
        return putRetention(request, bucket);
      case "CreateMultipartUpload":
        return createUpload(request, bucket);
      case "UploadPart":
        return uploadPart(request, bucket, kept);
      case "CompleteMultipartUpload":
        return completeUpload(request, bucket, kept);
      case "AbortMultipartUpload":
        return abortUpload(request, bucket);
    }
    throw notImplemented();
  }

  #listBuckets(member: Member): S3Answer {
    if (!mayDo(member, "ListAllMyBuckets")) throw accessDenied();
    const Bucket = [...this.buckets.keys()].map((Name) => ({
      Name,
      CreationDate: "2026-01-01T00:00:00.000Z",
    }));
    return {
      status: 200,
      body: document("ListAllMyBucketsResult", { Owner: { ID: "owner" }, Buckets: { Bucket } }),
    };
  }

  #createBucket(name: string, member: Member, { headers }: S3Request): S3Answer {
    if (!mayDo(member, "CreateBucket")) throw accessDenied();
    if (this.buckets.has(name)) {
      throw new S3Refusal(
        409,
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded",
      );
    }
    const locks = headers["x-amz-bucket-object-lock-enabled"] === "true";
    this.buckets.set(name, new Bucket(name, locks, locks));
    return { status: 200, headers: { location: `/${name}` } };
  }

  #now(): Date {
    return new Date(Date.now() + this.ahead);
  }
}
