import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Page } from "../../../src/destination/paged_list.ts";
import {
  AbortMultipartUploadCommand,
  GetObjectLockConfigurationCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from "./sdk.ts";
import { isRefusal } from "./refusals.ts";
import { type Named, type Service, strange } from "./service.ts";

/** One page of the names that begin with `prefix`; `from` is the last page's `next`, `most` their number. */
export async function pageOf(
  service: Service,
  prefix: string,
  from: string | undefined,
  signal: AbortSignal,
  most?: number,
): Promise<Page> {
  const { bucket: Bucket } = service.parts;
  const ask = {
    Bucket,
    Prefix: prefix,
    // XML cannot hold every name that somebody else may have stored.
    EncodingType: "url" as const,
    ...(from === undefined ? {} : { ContinuationToken: from }),
    ...(most === undefined ? {} : { MaxKeys: most }),
  };
  const page = await service.call(
    { what: service.what, signal },
    (client, options) => client.send(new ListObjectsV2Command(ask), options),
  );
  const { IsTruncated, NextContinuationToken: next, Contents = [], KeyCount } = page;
  if (IsTruncated === undefined) throw strange(service.what);
  if (KeyCount !== undefined && KeyCount !== Contents.length) throw short(service);
  if (IsTruncated && (!next || next === from)) throw short(service);
  const found = Contents.map(({ Key, Size }) => {
    const name = decoded(Key, page.EncodingType);
    // An answer to another question is no list of ours.
    if (name === undefined || Size === undefined || !name.startsWith(prefix)) throw strange(service.what);
    return { name, size: Size };
  });
  return { found, next: IsTruncated ? next : undefined };
}

/** Gives up every upload of exactly this name that was not completed. */
export async function abortUploads(service: Service, { key, name, signal }: Named): Promise<void> {
  const { bucket: Bucket } = service.parts;
  let markers = {}, last = "";
  for (;;) {
    const page = await service.call(
      { what: service.what, signal },
      (client, options) =>
        client.send(
          new ListMultipartUploadsCommand({ Bucket, Prefix: name, EncodingType: "url", ...markers }),
          options,
        ),
    );
    if (page.IsTruncated === undefined) throw strange(service.what);
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (decoded(Key, page.EncodingType) === name && UploadId) {
        await abortUpload(service, { key, name, signal }, UploadId);
      }
    }
    if (!page.IsTruncated) return;
    const { NextKeyMarker, NextUploadIdMarker } = page, at = `${NextKeyMarker} ${NextUploadIdMarker}`;
    if (!NextKeyMarker || at === last) throw short(service);
    last = at;
    const KeyMarker = decoded(NextKeyMarker, page.EncodingType);
    markers = { KeyMarker, ...(NextUploadIdMarker ? { UploadIdMarker: NextUploadIdMarker } : {}) };
  }
}

/** One that is not there any more counts as given up. */
export async function abortUpload(
  service: Service,
  { key, name, signal }: Named,
  UploadId: string,
  tries?: number,
): Promise<void> {
  const { bucket: Bucket } = service.parts;
  try {
    await service.call(
      { what: key, signal, ...(tries === undefined ? {} : { tries }) },
      (client, options) =>
        client.send(new AbortMultipartUploadCommand({ Bucket, Key: name, UploadId }), options),
    );
  } catch (error) {
    if (!isRefusal(error, "NoSuchUpload")) throw error;
  }
}

/** Whether the bucket can lock what is stored; undefined where these credentials may not know. */
export async function canLock(service: Service, signal: AbortSignal): Promise<boolean | undefined> {
  const { bucket: Bucket } = service.parts;
  try {
    const { ObjectLockConfiguration } = await service.call(
      { what: service.what, signal },
      (client, options) => client.send(new GetObjectLockConfigurationCommand({ Bucket }), options),
    );
    return ObjectLockConfiguration?.ObjectLockEnabled === "Enabled";
  } catch (error) {
    if (isAppError(error, "unsupported")) return false;
    if (isAppError(error, "denied") && isRefusal(error, "AccessDenied")) return undefined;
    throw error;
  }
}

function short({ what }: Service): AppError {
  return new AppError("transient", `the list of ${what} does not come to its end`);
}

/** A name as it is; undefined where there is none or it cannot be read. */
function decoded(name: string | undefined, encoding: string | undefined): string | undefined {
  if (name === undefined || encoding !== "url") return name;
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    throw new AppError("transient", `the list holds a name that cannot be read: ${quoted(name)}`);
  }
}
