import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { ByteRange } from "../../../src/destination/contract.ts";
import { type Piece, resumableGet } from "../../../src/destination/resumable_get.ts";
import { pageOf } from "./lists.ts";
import { isRefusal } from "./refusals.ts";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectRetentionCommand,
} from "./sdk.ts";
import { type Named, type Service, strange } from "./service.ts";

/** What is known of an object. */
export interface ObjectHead {
  /** Bytes. */
  size: number;
  etag: string;
  /** Undefined where the bucket keeps no versions. */
  version: string | undefined;
  /** The end of its lock, where it has one that nobody can lift and these credentials may see it. */
  lockedUntil: Date | undefined;
}

/** What is stored; undefined where nothing is, in a bucket that is there. */
export async function headOf(
  service: Service,
  { key, name, signal }: Named,
): Promise<ObjectHead | undefined> {
  const { bucket: Bucket } = service.parts;
  try {
    const head = await service.call(
      { what: key, signal, bodiless: true },
      (client, options) => client.send(new HeadObjectCommand({ Bucket, Key: name }), options),
    );
    const { ContentLength: size, ETag: etag, VersionId: version } = head;
    if (size === undefined || !etag) throw strange(quoted(key));
    const lockedUntil = head.ObjectLockMode === "COMPLIANCE" ? head.ObjectLockRetainUntilDate : undefined;
    return { size, etag, version, lockedUntil };
  } catch (error) {
    if (!isAppError(error, "not-found")) throw await explained(service, { key, name, signal }, error);
    // The answer to a look has no word for what is missing, and anybody can give it: a list is one of this bucket.
    await pageOf(service, name, undefined, signal, 1);
    return undefined;
  }
}

/** The refusal of a look in the service's words, which it can only say where an answer may have a body. */
async function explained(service: Service, named: Named, error: unknown): Promise<unknown> {
  if (!isAppError(error, "denied", "unknown")) return error;
  try {
    const { body } = await piece(service, named, "bytes=0-0");
    await body.cancel();
    return error;
  } catch (worded) {
    const telling = isAppError(worded, "denied", "misconfigured", "cancelled");
    return telling && !isRefusal(worded, "AccessDenied") ? worded : error;
  }
}

/** A download that goes on where it was cut off. */
export function download(
  service: Service,
  { key, name, signal }: Named,
  range: ByteRange | undefined,
  translate: (error: unknown) => unknown,
): Promise<ReadableStream<Uint8Array>> {
  const { clock } = service.parts;
  return resumableGet({
    ...{ key, range, signal, clock, translate },
    ask: async (start, end, signal) => {
      const asked = { key, name, signal };
      // HTTP has no word for a range of nothing, nor for one that is none: its size tells which it is.
      if (!Number.isSafeInteger(start) || start < 0 || (end !== undefined && !(end > start))) {
        return await nothing(service, asked, start);
      }
      const Range = start === 0 && end === undefined
        ? undefined
        : `bytes=${start}-${end === undefined ? "" : end - 1}`;
      try {
        return await piece(service, asked, Range);
      } catch (error) {
        if (!(error instanceof OutOfRange)) throw error;
        return await nothing(service, asked, start);
      }
    },
  });
}

/** There is no byte where the range begins. */
class OutOfRange extends Error {}

async function piece(
  service: Service,
  { key, name, signal }: Named,
  Range: string | undefined,
): Promise<Piece> {
  const { bucket: Bucket } = service.parts;
  const got = await service.call(
    { what: key, signal, tries: 1 },
    (client, options) =>
      client.send(
        new GetObjectCommand({ Bucket, Key: name, ...(Range === undefined ? {} : { Range }) }),
        options,
      ),
  ).catch((error) => {
    throw isAppError(error) && (error.cause as { status?: number })?.status === 416
      ? new OutOfRange()
      : error;
  });
  const [, from, whole] = /^bytes (\d+)-\d+\/(\d+)$/.exec(got.ContentRange ?? "") ?? [];
  const size = whole === undefined ? got.ContentLength : Number(whole);
  const body = (got.Body as ReadableStream<Uint8Array> | undefined) ?? empty();
  if (size === undefined || !got.ETag) {
    body.cancel().catch(() => {});
    throw strange(quoted(key));
  }
  return { body, start: Number(from ?? 0), size, version: `${got.ETag} ${got.VersionId ?? ""}` };
}

/** No bytes of an object that is there. */
async function nothing(service: Service, named: Named, start: number): Promise<Piece> {
  const head = await headOf(service, named);
  if (!head) throw new AppError("not-found", `there is no ${quoted(named.key)}`);
  return { body: empty(), start, size: head.size, version: `${head.etag} ${head.version ?? ""}` };
}

function empty(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/**
 * Removes a key. In a bucket that keeps versions it is these that are removed: a mark on top would hide them, free no
 * space, and hide what is locked as well.
 */
export async function removeObject(service: Service, named: Named): Promise<void> {
  for (let rounds = 0; rounds < 100; rounds++) {
    const head = await headOf(service, named);
    if (!head) return;
    await removeVersion(service, named, head.version);
    if (head.version === undefined) return;
  }
  throw new AppError("transient", `${quoted(named.key)} is there again after each removal`);
}

export async function removeVersion(
  service: Service,
  { key, name, signal }: Named,
  VersionId: string | undefined,
) {
  const { bucket: Bucket } = service.parts;
  try {
    await service.call({ what: key, signal }, (client, options) =>
      client.send(
        new DeleteObjectCommand({ Bucket, Key: name, ...(VersionId === undefined ? {} : { VersionId }) }),
        options,
      ));
  } catch (error) {
    if (isAppError(error, "not-found")) return;
    if (!isAppError(error, "denied") || VersionId === undefined) throw error;
    throw new AppError("denied", error.message, {
      cause: error.cause,
      hint: "the key is locked, or the access key may not remove versions (s3:DeleteObjectVersion)",
    });
  }
}

/** Locks what is stored until then, where it is not. */
export async function keepUntil(service: Service, { key, name, signal }: Named, until: Date): Promise<void> {
  const { bucket: Bucket } = service.parts;
  const head = await headOf(service, { key, name, signal });
  // Retention is told in whole seconds by some services.
  if (head?.lockedUntil && head.lockedUntil.getTime() > until.getTime() - 1000) return;
  const Retention = { Mode: "COMPLIANCE" as const, RetainUntilDate: until };
  await service.call(
    { what: key, signal },
    (client, options) =>
      client.send(new PutObjectRetentionCommand({ Bucket, Key: name, Retention }), options),
  );
}
