/** Uploads in parts: begun, filled, completed or given up. */
import { concat } from "../../../src/base/bytes.ts";
import { checkBody, type Checksum, composite, isAlgorithm, md5Hex } from "./checksums.ts";
import { retentionAsked } from "./lock.ts";
import type { Kept } from "./objects.ts";
import { metadataOf, onlyIfAbsentOf } from "./objects.ts";
import { invalid, invalidArgument, noSuchUpload, notImplemented, S3Refusal } from "./refusal.ts";
import type { S3Answer, S3Request } from "./request.ts";
import { type Bucket, newId, type Upload } from "./store.ts";
import { content, contents, document } from "./xml.ts";

const MIN_PART = 5 * 1024 * 1024;

export function createUpload(request: S3Request, bucket: Bucket): S3Answer {
  const { headers, key } = request;
  // Conditions are for the request that publishes; here they would be believed and do nothing.
  if (headers["if-none-match"] !== undefined || headers["if-match"] !== undefined) throw notImplemented();
  const named = headers["x-amz-checksum-algorithm"]?.toLowerCase();
  if (named !== undefined && !isAlgorithm(named)) {
    throw invalid("Checksum algorithm provided is unsupported.");
  }
  const upload: Upload = {
    id: newId(),
    key,
    initiated: new Date(),
    algorithm: named,
    metadata: metadataOf(request),
    retention: retentionAsked(request, bucket),
    parts: new Map(),
  };
  bucket.uploads.set(upload.id, upload);
  return {
    status: 200,
    headers: named
      ? { "x-amz-checksum-algorithm": named.toUpperCase(), "x-amz-checksum-type": "COMPOSITE" }
      : {},
    body: document("InitiateMultipartUploadResult", { Bucket: bucket.name, Key: key, UploadId: upload.id }),
  };
}

export function uploadPart(request: S3Request, bucket: Bucket, kept: Kept): S3Answer {
  const upload = uploadOf(request, bucket);
  const { headers, body, query, trailers } = request;
  if (headers["if-none-match"] !== undefined) throw notImplemented();
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive");
  }
  const checked = checkBody(body, headers, trailers);
  if (upload.algorithm !== undefined && checked?.algorithm !== upload.algorithm) {
    throw invalid(
      `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm}, actual checksum Type: ${
        checked?.algorithm ?? "null"
      }`,
    );
  }
  if (upload.retention && !checked && headers["content-md5"] === undefined) {
    throw invalid(
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters",
    );
  }
  const etag = `"${md5Hex(body)}"`;
  upload.parts.set(number, { bytes: kept(body), etag, checksum: checked, modified: new Date() });
  return {
    status: 200,
    headers: { etag, ...(checked ? { [`x-amz-checksum-${checked.algorithm}`]: checked.value } : {}) },
  };
}

export function completeUpload(request: S3Request, bucket: Bucket, kept: Kept): S3Answer {
  const upload = uploadOf(request, bucket);
  const onlyIfAbsent = onlyIfAbsentOf(request);
  const text = new TextDecoder().decode(request.body);
  const listed = contents(text, "Part").map((part) => ({
    number: Number(content(part, "PartNumber")),
    etag: content(part, "ETag") ?? "",
    checksum: upload.algorithm && content(part, `Checksum${upload.algorithm.toUpperCase()}`),
  }));
  if (listed.length === 0) {
    throw new S3Refusal(400, "MalformedXML", "The XML you provided was not well-formed");
  }
  if (listed.some(({ number }, at) => at > 0 && number <= listed[at - 1]!.number)) {
    throw new S3Refusal(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
  }
  const parts = listed.map(({ number, etag, checksum }, at) => {
    const part = upload.parts.get(number);
    const bad = !part || part.etag !== `"${etag.replaceAll('"', "")}"` ||
      (checksum !== undefined && checksum !== part.checksum?.value);
    if (bad) {
      throw new S3Refusal(400, "InvalidPart", "One or more of the specified parts could not be found.");
    }
    if (upload.algorithm !== undefined && checksum === undefined) {
      throw invalid(
        `The upload was created using a ${upload.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      );
    }
    if (at < listed.length - 1 && part.bytes.length < MIN_PART) {
      throw new S3Refusal(
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
        {
          ProposedSize: part.bytes.length,
          MinSizeAllowed: MIN_PART,
          PartNumber: number,
        },
      );
    }
    return part;
  });
  const size = request.headers["x-amz-mp-object-size"];
  if (size !== undefined && Number(size) !== parts.reduce((sum, { bytes }) => sum + bytes.length, 0)) {
    throw invalid("The provided 'x-amz-mp-object-size' header does not match what was computed.");
  }
  const etags = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag.replaceAll('"', ""), "hex")));
  const etag = `"${md5Hex(etags)}-${parts.length}"`;
  const checksum = wholeChecksum(upload, parts.map((part) => part.checksum));
  const asked = upload.algorithm && request.headers[`x-amz-checksum-${upload.algorithm}`];
  if (asked !== undefined && asked.split("-")[0] !== checksum?.value.split("-")[0]) {
    throw new S3Refusal(
      400,
      "BadDigest",
      "The checksum you specified did not match the calculated checksum.",
    );
  }
  const { key, metadata, retention } = upload;
  const bytes = kept(concat(parts.map((part) => part.bytes)));
  const version = bucket.store(key, { bytes, etag, metadata, checksum, retention }, onlyIfAbsent);
  bucket.uploads.delete(upload.id);
  return {
    status: 200,
    headers: { "x-amz-version-id": bucket.versioned ? version.id : undefined },
    body: document("CompleteMultipartUploadResult", {
      Location: `http://${request.headers["host"]}/${bucket.name}/${key}`,
      Bucket: bucket.name,
      Key: key,
      ETag: etag,
      ...(checksum
        ? { [`Checksum${checksum.algorithm.toUpperCase()}`]: checksum.value, ChecksumType: "COMPOSITE" }
        : {}),
    }),
  };
}

function wholeChecksum(
  { algorithm }: Upload,
  parts: readonly (Checksum | undefined)[],
): Checksum | undefined {
  if (algorithm === undefined) return undefined;
  return { algorithm, value: composite(algorithm, parts.map((part) => part!.value)) };
}

export function abortUpload(request: S3Request, bucket: Bucket): S3Answer {
  bucket.uploads.delete(uploadOf(request, bucket).id);
  return { status: 204 };
}

function uploadOf({ query, key }: S3Request, bucket: Bucket): Upload {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "");
  if (!upload || upload.key !== key) throw noSuchUpload();
  return upload;
}
