/** Requests that list something, in pages. */
import { invalidArgument } from "./refusal.ts";
import type { S3Answer, S3Request } from "./request.ts";
import { type Bucket, byBytes } from "./store.ts";
import { document, type XmlTree } from "./xml.ts";

/** Objects, in the second form of the request (`list-type=2`) or the first; `page` is the most at once. */
export function listObjects(request: S3Request, bucket: Bucket, page: number, second: boolean): S3Answer {
  const { query } = request;
  const name = namerOf(query);
  const prefix = query.get("prefix") ?? "", delimiter = query.get("delimiter") || undefined;
  const token = query.get("continuation-token");
  const after = second
    ? token === undefined ? query.get("start-after") ?? "" : keyIn(token)
    : query.get("marker") ?? "";
  const limit = Math.min(numberOf(query, "max-keys", 1000), page);
  const entries = grouped(bucket.keys(prefix), prefix, delimiter).filter((one) =>
    byBytes(one.name, after) > 0
  );
  const shown = entries.slice(0, limit);
  const truncated = entries.length > shown.length && limit > 0;
  const last = shown.at(-1)?.name ?? "";
  const tree: XmlTree = {
    Name: bucket.name,
    Prefix: name(prefix),
    ...(second
      ? { KeyCount: shown.length, ContinuationToken: token, StartAfter: query.get("start-after") }
      : { Marker: name(query.get("marker") ?? "") }),
    MaxKeys: limit,
    Delimiter: delimiter === undefined ? undefined : name(delimiter),
    EncodingType: query.get("encoding-type"),
    IsTruncated: truncated,
    ...(truncated ? second ? { NextContinuationToken: tokenOf(last) } : { NextMarker: name(last) } : {}),
    Contents: shown.filter((one) => !one.group).map(({ name: key }) => {
      const { bytes, etag, modified } = bucket.current(key)!;
      return {
        Key: name(key),
        LastModified: modified.toISOString(),
        ETag: etag,
        Size: bytes.length,
        StorageClass: "STANDARD",
      };
    }),
    CommonPrefixes: shown.filter((one) => one.group).map((one) => ({ Prefix: name(one.name) })),
  };
  return { status: 200, body: document("ListBucketResult", tree) };
}

/** Keys, those that share a folder as one. */
function grouped(
  keys: string[],
  prefix: string,
  delimiter: string | undefined,
): { name: string; group: boolean }[] {
  if (delimiter === undefined) return keys.map((name) => ({ name, group: false }));
  const seen = new Map<string, boolean>();
  for (const key of keys) {
    const end = key.indexOf(delimiter, prefix.length);
    if (end < 0) seen.set(key, false);
    else seen.set(key.slice(0, end + delimiter.length), true);
  }
  return [...seen].map(([name, group]) => ({ name, group }));
}

export function listUploads({ query }: S3Request, bucket: Bucket, page: number): S3Answer {
  const name = namerOf(query);
  const prefix = query.get("prefix") ?? "", limit = Math.min(numberOf(query, "max-uploads", 1000), page);
  const afterKey = query.get("key-marker") ?? "", afterId = query.get("upload-id-marker");
  const all = [...bucket.uploads.values()].filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => byBytes(a.key, b.key) || byBytes(a.id, b.id))
    .filter(({ key, id }) =>
      byBytes(key, afterKey) > 0 || (key === afterKey && afterId !== undefined && id > afterId)
    );
  const shown = all.slice(0, limit), last = shown.at(-1);
  const truncated = all.length > shown.length && last !== undefined;
  const tree: XmlTree = {
    Bucket: bucket.name,
    KeyMarker: name(afterKey),
    UploadIdMarker: afterId ?? "",
    ...(truncated ? { NextKeyMarker: name(last.key), NextUploadIdMarker: last.id } : {}),
    Prefix: name(prefix),
    EncodingType: query.get("encoding-type"),
    MaxUploads: limit,
    IsTruncated: truncated,
    Upload: shown.map(({ key, id, initiated }) => ({
      Key: name(key),
      UploadId: id,
      Initiated: initiated.toISOString(),
      StorageClass: "STANDARD",
    })),
  };
  return { status: 200, body: document("ListMultipartUploadsResult", tree) };
}

/** How names are written: XML cannot hold all that a key may. */
function namerOf(query: ReadonlyMap<string, string>): (name: string) => string {
  const type = query.get("encoding-type");
  if (type === undefined) return (name) => name;
  if (type !== "url") throw invalidArgument("Invalid Encoding Method specified in Request");
  return (name) => encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%20", "+");
}

function numberOf(query: ReadonlyMap<string, string>, name: string, otherwise: number): number {
  const text = query.get(name) ?? String(otherwise);
  if (!/^\d{1,9}$/.test(text)) {
    throw invalidArgument(`Provided ${name} not an integer or within integer range`);
  }
  return Number(text);
}

function tokenOf(key: string): string {
  return `1${Buffer.from(key).toString("base64")}=`;
}

function keyIn(token: string): string {
  const found = /^1([A-Za-z0-9+/=]*)=$/.exec(token)?.[1];
  if (found === undefined) throw invalidArgument("The continuation token provided is incorrect");
  return Buffer.from(found, "base64").toString();
}
