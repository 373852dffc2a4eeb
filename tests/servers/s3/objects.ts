/** Requests for one whole object. */
import { checkBody, md5Hex } from "./checksums.ts";
import { retentionAsked, retentionHeaders } from "./lock.ts";
import { invalid, notImplemented, preconditionFailed, S3Refusal } from "./refusal.ts";
import type { S3Answer, S3Request } from "./request.ts";
import type { Bucket, Version } from "./store.ts";

/** What a store keeps of a body; a fault of the server may keep less. */
export type Kept = (bytes: Uint8Array) => Uint8Array;

export function putObject(request: S3Request, bucket: Bucket, kept: Kept): S3Answer {
  const { key, body, headers, trailers } = request;
  const onlyIfAbsent = onlyIfAbsentOf(request);
  const checked = checkBody(body, headers, trailers);
  const retention = retentionAsked(request, bucket);
  if (retention && !checked && headers["content-md5"] === undefined) {
    throw invalid(
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    );
  }
  if (new TextEncoder().encode(key).length > 1024) {
    throw new S3Refusal(400, "KeyTooLongError", "Your key is too long");
  }
  const etag = `"${md5Hex(body)}"`;
  const version = bucket.store(
    key,
    { bytes: kept(body), etag, metadata: metadataOf(request), checksum: checked, retention },
    onlyIfAbsent,
  );
  return {
    status: 200,
    headers: {
      etag,
      "x-amz-version-id": bucket.versioned ? version.id : undefined,
      ...(checked ? { [`x-amz-checksum-${checked.algorithm}`]: checked.value } : {}),
    },
  };
}

/** Whether a request says `If-None-Match: *`; throws on every condition that S3 has not. */
export function onlyIfAbsentOf({ headers }: S3Request): boolean {
  if (headers["if-match"] !== undefined) throw notImplemented();
  const condition = headers["if-none-match"];
  if (condition !== undefined && condition !== "*") throw notImplemented();
  return condition === "*";
}

export function metadataOf({ headers }: S3Request): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) =>
    name === "content-type" || name.startsWith("x-amz-meta-")
  );
  return { "content-type": "binary/octet-stream", ...Object.fromEntries(kept) };
}

export function getObject(request: S3Request, bucket: Bucket): S3Answer {
  const { key, query, headers } = request;
  const version = bucket.find(key, query.get("versionId"));
  if (headers["if-match"] !== undefined && headers["if-match"] !== version.etag) {
    throw preconditionFailed("If-Match");
  }
  const range = rangeOf(headers["range"], version.bytes.length);
  // The checksum is one of the whole.
  const told = headersOf(version, bucket, !range && headers["x-amz-checksum-mode"] === "ENABLED");
  if (!range) return { status: 200, headers: told, body: version.bytes };
  const [start, end] = range;
  return {
    status: 206,
    headers: { ...told, "content-range": `bytes ${start}-${end}/${version.bytes.length}` },
    body: version.bytes.subarray(start, end + 1),
  };
}

/** First and last byte; undefined for the whole, also on what is no range. */
function rangeOf(header: string | undefined, size: number): [number, number] | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!found || (found[1] === "" && found[2] === "")) return undefined;
  const start = found[1] === "" ? Math.max(0, size - Number(found[2])) : Number(found[1]);
  const end = found[1] === "" || found[2] === "" ? size - 1 : Math.min(Number(found[2]), size - 1);
  if (found[1] !== "" && found[2] !== "" && Number(found[2]) < start) return undefined;
  if (start >= size) {
    throw new S3Refusal(416, "InvalidRange", "The requested range is not satisfiable", {
      ActualObjectSize: size,
    });
  }
  return [start, end];
}

function headersOf(version: Version, bucket: Bucket, checksums: boolean): Record<string, string | undefined> {
  return {
    ...version.metadata,
    ...retentionHeaders(version.retention),
    etag: version.etag,
    "accept-ranges": "bytes",
    "last-modified": version.modified.toUTCString(),
    "x-amz-version-id": bucket.versioned ? version.id : undefined,
    ...(checksums && version.checksum
      ? { [`x-amz-checksum-${version.checksum.algorithm}`]: version.checksum.value }
      : {}),
  };
}

export function deleteObject({ key, query, headers }: S3Request, bucket: Bucket): S3Answer {
  if (headers["if-match"] !== undefined && headers["if-match"] !== bucket.current(key)?.etag) {
    throw preconditionFailed("If-Match");
  }
  const { marker, id } = bucket.remove(key, query.get("versionId"));
  return {
    status: 204,
    headers: {
      "x-amz-delete-marker": marker ? "true" : undefined,
      "x-amz-version-id": bucket.versioned ? id : undefined,
    },
  };
}
