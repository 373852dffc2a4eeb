/** The server that the destination is tested against, judged by the service's own library and by rclone. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import { sample } from "../../src/destination/conformance/bench.ts";
import { S3Server } from "../servers/s3/server.ts";
import { Bucket } from "../servers/s3/store.ts";
import { missing } from "../servers/child.ts";

const MIB = 1024 * 1024;
const MEMBER = { accessKeyId: "AKIAMADEUPMADEUPMADE", secretAccessKey: "made-up-secret/0123456789+abcdef" };
const GUEST = { ...MEMBER, accessKeyId: "AKIAGUEST", may: ["PutObject"] };

async function started(page = 3) {
  const buckets = [new Bucket("plain"), new Bucket("versioned", true), new Bucket("locked", true, true)];
  return await S3Server.start({ members: [MEMBER, GUEST], buckets, page });
}

/** The library as anybody would use it. */
function client(server: S3Server, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: server.url,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: MEMBER,
    maxAttempts: 1,
    requestHandler: new FetchHttpHandler(),
    ...config,
  });
}

async function fails(call: Promise<unknown>, name: string, status: number): Promise<void> {
  const error = await call.then(() => assert.fail(`${name} expected`), (error) => error);
  assert.equal(error.name, name, String(error));
  assert.equal(error.$metadata.httpStatusCode, status);
}

Deno.test("s3 server: what the library stores it reads, lists in pages and removes", async () => {
  await using server = await started();
  const s3 = client(server), Bucket = "plain";
  const keys = ["a/1", "a/2 with space+plus", "a/é&<x>", "a/4", "a/~5*()'!", "b"];
  for (const Key of keys) {
    const { ETag, ChecksumCRC32 } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: sample(1000) }));
    assert.equal(ETag, `"${createHash("md5").update(sample(1000)).digest("hex")}"`);
    assert.ok(ChecksumCRC32, "the checksum that the library sends by itself came back");
  }
  const listed: string[] = [];
  let pages = 0, ContinuationToken: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a/", ContinuationToken }));
    listed.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    assert.equal(page.KeyCount, page.Contents?.length);
    ContinuationToken = page.NextContinuationToken;
    pages++;
  } while (ContinuationToken);
  assert.deepEqual(listed.sort(), keys.slice(0, 5).sort());
  assert.equal(pages, 2);
  const folders = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
  assert.deepEqual(folders.CommonPrefixes?.map(({ Prefix }) => Prefix), ["a/"]);
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: keys[1], Range: "bytes=10-19" }));
  assert.equal(got.ContentRange, "bytes 10-19/1000");
  assert.deepEqual(await got.Body!.transformToByteArray(), sample(1000).slice(10, 20));
  await fails(s3.send(new GetObjectCommand({ Bucket, Key: "b", Range: "bytes=1000-" })), "InvalidRange", 416);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "b" }));
  await fails(s3.send(new GetObjectCommand({ Bucket, Key: "b" })), "NoSuchKey", 404);
  await fails(s3.send(new HeadObjectCommand({ Bucket, Key: "b" })), "NotFound", 404);
  await fails(s3.send(new ListObjectsV2Command({ Bucket: "absent" })), "NoSuchBucket", 404);
});

Deno.test("s3 server: a stream comes in frames with its checksum behind it", async () => {
  await using server = await started();
  const bytes = sample(200_000);
  const s3 = client(server, { requestHandler: { connectionTimeout: 5000 } });
  await s3.send(
    new PutObjectCommand({
      ...{ Bucket: "plain", Key: "streamed", ContentLength: bytes.length },
      Body: Readable.from([bytes.slice(0, 150_000), bytes.slice(150_000)]),
    }),
  );
  s3.destroy();
  assert.deepEqual(server.buckets.get("plain")!.current("streamed")?.bytes, bytes);
  const [{ headers } = assert.fail()] = server.asked;
  assert.equal(headers["x-amz-content-sha256"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  assert.equal(headers["x-amz-trailer"], "x-amz-checksum-crc32");
});

Deno.test("s3 server: conditions hold for objects and for completed uploads", async () => {
  await using server = await started();
  const s3 = client(server), Bucket = "plain", IfNoneMatch = "*";
  await s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "first", IfNoneMatch }));
  const again = new PutObjectCommand({ Bucket, Key: "once", Body: "other", IfNoneMatch });
  await fails(s3.send(again), "PreconditionFailed", 412);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "once" }));
  const part = { Bucket, Key: "once", UploadId, PartNumber: 1, Body: sample(10) };
  const { ETag } = await s3.send(new UploadPartCommand(part));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  const complete = { Bucket, Key: "once", UploadId, MultipartUpload };
  await fails(
    s3.send(new CompleteMultipartUploadCommand({ ...complete, IfNoneMatch })),
    "PreconditionFailed",
    412,
  );
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "once" }));
  assert.equal(await got.Body!.transformToString(), "first");
  await s3.send(new CompleteMultipartUploadCommand(complete));
  await fails(s3.send(new CompleteMultipartUploadCommand(complete)), "NoSuchUpload", 404);
});

Deno.test("s3 server: parts are checked, ordered and large enough, uploads listed in pages", async () => {
  await using server = await started();
  const s3 = client(server), Bucket = "plain", Key = "parts";
  const created = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "SHA256" }),
  );
  const { UploadId } = created;
  const bodies = [sample(5 * MIB, 1), sample(5 * MIB - 1, 2), sample(3, 3)];
  const Parts = [];
  for (const [at, Body] of bodies.entries()) {
    const sent = await s3.send(
      new UploadPartCommand({
        ...{ Bucket, Key, UploadId, Body, PartNumber: at + 1, ChecksumAlgorithm: "SHA256" },
      }),
    );
    Parts.push({ PartNumber: at + 1, ETag: sent.ETag, ChecksumSHA256: sent.ChecksumSHA256 });
  }
  const complete = (...Parts: object[]) =>
    s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const [one, two, three] = Parts as [object, object, object];
  await fails(complete(one, two, three), "EntityTooSmall", 400);
  await fails(complete(three, one), "InvalidPartOrder", 400);
  await fails(complete({ ...one, ETag: '"0"' }), "InvalidPart", 400);
  await fails(complete({ ...one, ChecksumSHA256: undefined }), "InvalidRequest", 400);
  await fails(
    s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 4, Body: "x", ContentMD5: "AAAA" })),
    "InvalidDigest",
    400,
  );
  const { ChecksumSHA256, ETag } = await complete(one, three);
  const hash = createHash("sha256");
  for (const body of [bodies[0]!, bodies[2]!]) hash.update(createHash("sha256").update(body).digest());
  assert.equal(ChecksumSHA256, `${hash.digest("base64")}-2`);
  assert.match(ETag ?? "", /-2"$/);

  const begun = new Set<string>();
  for (let at = 0; at < 7; at++) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: `left${at % 2}` }));
    begun.add(UploadId!);
  }
  const found = new Set<string>();
  let markers = {};
  for (;;) {
    const page = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: "left", ...markers }));
    for (const { Key, UploadId } of page.Uploads ?? []) {
      found.add(UploadId!);
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    }
    if (!page.IsTruncated) break;
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
  assert.deepEqual(found, begun);
});

Deno.test("s3 server: locks and versions", async () => {
  await using server = await started();
  const s3 = client(server), Key = "kept", Body = "kept";
  const lock = {
    ObjectLockMode: "COMPLIANCE" as const,
    ObjectLockRetainUntilDate: new Date(Date.now() + 60_000),
  };
  await fails(
    s3.send(new PutObjectCommand({ Bucket: "plain", Key, Body, ...lock })),
    "InvalidRequest",
    400,
  );
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: "locked", Key, Body, ...lock }));
  await fails(s3.send(new DeleteObjectCommand({ Bucket: "locked", Key, VersionId })), "AccessDenied", 403);
  const shorter = { Mode: "COMPLIANCE" as const, RetainUntilDate: new Date(Date.now() + 30_000) };
  await fails(
    s3.send(new PutObjectRetentionCommand({ Bucket: "locked", Key, Retention: shorter })),
    "AccessDenied",
    403,
  );
  assert.equal((await s3.send(new DeleteObjectCommand({ Bucket: "locked", Key }))).DeleteMarker, true);
  await fails(s3.send(new HeadObjectCommand({ Bucket: "locked", Key })), "NotFound", 404);
  const old = await s3.send(new HeadObjectCommand({ Bucket: "locked", Key, VersionId }));
  assert.equal(old.ContentLength, 4);
  assert.equal(old.ObjectLockRetainUntilDate?.getTime(), lock.ObjectLockRetainUntilDate.getTime());
  await fails(s3.send(new CreateBucketCommand({ Bucket: "plain" })), "BucketAlreadyOwnedByYou", 409);
});

Deno.test("s3 server: who is not who they say, or may not, gets nothing", async () => {
  await using server = await started();
  const put = () => new PutObjectCommand({ Bucket: "plain", Key: "x", Body: "x" });
  const as = (credentials: object, region = "us-east-1") =>
    client(server, { credentials: { ...MEMBER, ...credentials }, region });
  await fails(as({ secretAccessKey: "wrong" }).send(put()), "SignatureDoesNotMatch", 403);
  await fails(as({ accessKeyId: "AKIANOBODY" }).send(put()), "InvalidAccessKeyId", 403);
  await fails(as({ sessionToken: "made-up" }).send(put()), "InvalidToken", 400);
  await fails(as({}, "eu-west-1").send(put()), "AuthorizationHeaderMalformed", 400);
  await as(GUEST).send(put());
  await fails(as(GUEST).send(new GetObjectCommand({ Bucket: "plain", Key: "x" })), "AccessDenied", 403);
  await fails(as(GUEST).send(new HeadObjectCommand({ Bucket: "plain", Key: "absent" })), "Unknown", 403);
  server.ahead = 20 * 60_000;
  await fails(
    client(server, { disableClockSkewCorrection: true }).send(put()),
    "RequestTimeTooSkewed",
    403,
  );
  server.ahead = 0;
  const anonymous = await fetch(`${server.url}/plain/x`);
  assert.equal(anonymous.status, 403);
  assert.match(await anonymous.text(), /<Code>AccessDenied<\/Code>/);
});

Deno.test("s3 server: rclone copies, lists, checks and removes", async () => {
  assert.equal(await missing("rclone", "version"), undefined);
  await using server = await started(1000);
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-rclone-" });
  try {
    const files: Record<string, Uint8Array> = {
      "small.bin": sample(1000),
      "folder/a name + more & ü.bin": sample(70_000, 2),
      "large.bin": sample(12 * MIB + 5, 3),
    };
    await Deno.mkdir(`${folder}/from/folder`, { recursive: true });
    for (const [name, bytes] of Object.entries(files)) await Deno.writeFile(`${folder}/from/${name}`, bytes);
    const rclone = async (...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command("rclone", {
        args: ["--config", `${folder}/none`, "--retries", "1", "--low-level-retries", "1", ...args],
        clearEnv: true,
        env: {
          PATH: Deno.env.get("PATH") ?? "",
          RCLONE_CONFIG_X_TYPE: "s3",
          RCLONE_CONFIG_X_PROVIDER: "Minio",
          RCLONE_CONFIG_X_ENDPOINT: server.url,
          RCLONE_CONFIG_X_REGION: "us-east-1",
          RCLONE_CONFIG_X_FORCE_PATH_STYLE: "true",
          RCLONE_CONFIG_X_ACCESS_KEY_ID: MEMBER.accessKeyId,
          RCLONE_CONFIG_X_SECRET_ACCESS_KEY: MEMBER.secretAccessKey,
          RCLONE_CONFIG_X_UPLOAD_CUTOFF: "6M",
          RCLONE_CONFIG_X_CHUNK_SIZE: "5M",
        },
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    await rclone("copy", `${folder}/from`, "x:plain/some");
    const bucket = server.buckets.get("plain")!;
    for (const [name, bytes] of Object.entries(files)) {
      assert.deepEqual(bucket.current(`some/${name}`)?.bytes, bytes, name);
    }
    assert.match(bucket.current("some/large.bin")!.etag, /-3"$/);
    await rclone("check", "--download", `${folder}/from`, "x:plain/some");
    for (const version of ["1", "2"]) {
      const listed = await rclone(
        "lsf",
        "-R",
        "--files-only",
        "--s3-list-version",
        version,
        "--s3-list-chunk",
        "1",
        "x:plain",
      );
      assert.equal(listed.trim().split("\n").length, 3, listed);
    }
    await rclone("copy", "x:plain/some", `${folder}/to`);
    assert.deepEqual(await Deno.readFile(`${folder}/to/large.bin`), files["large.bin"]);
    await rclone("delete", "x:plain/some");
    assert.deepEqual(bucket.keys(""), []);
    assert.equal(bucket.uploads.size, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
