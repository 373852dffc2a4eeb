import type http from "node:http";

/** A request as the server works with it: its body whole, its name and query decoded. */
export interface S3Request {
  method: string;
  /** As it was sent, before the `?`. */
  rawPath: string;
  rawQuery: string;
  query: ReadonlyMap<string, string>;
  headers: Readonly<Record<string, string>>;
  /** Empty in requests to the service itself. */
  bucket: string;
  /** Empty in requests to a bucket. */
  key: string;
  /** As it was sent; after the signature was checked, without the frames of a signed stream. */
  body: Uint8Array;
  /** Headers that came after the body. */
  trailers: ReadonlyMap<string, string>;
}

/** What the server says. */
export interface S3Answer {
  status: number;
  headers?: Record<string, string | undefined>;
  body?: string | Uint8Array;
}

/** What a request without its body says; `domain` is the host below which buckets have names of their own. */
export function requestOf(came: http.IncomingMessage, domain: string): Omit<S3Request, "body"> {
  // A client that believes us to be a proxy sends the whole address.
  const target = (came.url ?? "/").replace(/^http:\/\/[^/]+/, "");
  const [rawPath = "/", rawQuery = ""] = target.split(/\?(.*)/s);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(came.headers)) {
    headers[name] = Array.isArray(value) ? value.join(",") : value ?? "";
  }
  const host = (headers["host"] ?? "").replace(/:\d+$/, "");
  const path = decodeURIComponent(rawPath.slice(1));
  const own = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : undefined;
  const [, bucket = "", key = ""] = own === undefined
    ? /^([^/]*)\/?(.*)$/s.exec(path) ?? []
    : ["", own, path];
  return {
    method: came.method ?? "",
    rawPath,
    rawQuery,
    query: new Map(rawQuery === "" ? [] : rawQuery.split("&").map(pair)),
    headers,
    bucket,
    key,
    trailers: new Map(),
  };
}

function pair(text: string): [string, string] {
  const [name = "", value = ""] = text.split(/=(.*)/s);
  return [decodeURIComponent(name), decodeURIComponent(value)];
}

/** What is asked for, in the words of the API; undefined where we have no such thing. */
export function operationOf({ method, bucket, key, query }: S3Request): string | undefined {
  const has = (name: string) => query.has(name);
  if (bucket === "") return method === "GET" ? "ListBuckets" : undefined;
  if (key === "") {
    switch (method) {
      case "PUT":
        return has("versioning") || has("object-lock") ? undefined : "CreateBucket";
      case "DELETE":
        return "DeleteBucket";
      case "HEAD":
        return "HeadBucket";
      case "POST":
        return has("delete") ? "DeleteObjects" : undefined;
      case "GET":
        if (has("uploads")) return "ListMultipartUploads";
        if (has("object-lock")) return "GetObjectLockConfiguration";
        if (has("versioning")) return "GetBucketVersioning";
        if (has("location")) return "GetBucketLocation";
        return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
    }
    return undefined;
  }
  switch (method) {
    case "PUT":
      if (has("retention")) return "PutObjectRetention";
      return has("uploadId") ? "UploadPart" : "PutObject";
    case "POST":
      if (has("uploads")) return "CreateMultipartUpload";
      return has("uploadId") ? "CompleteMultipartUpload" : undefined;
    case "DELETE":
      return has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    case "GET":
      return has("retention") ? "GetObjectRetention" : "GetObject";
    case "HEAD":
      return "HeadObject";
  }
  return undefined;
}
