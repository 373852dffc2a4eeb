import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Page } from "../../../src/destination/paged_list.ts";
import type { ByteRange } from "../../../src/destination/contract.ts";
import { type Piece, resumableGet } from "../../../src/destination/resumable_get.ts";
import { locked } from "./refusals.ts";
import type { ContainerListBlobFlatSegmentResponse } from "./sdk.ts";
import { incomplete, type Named, type Service } from "./service.ts";
import { Refused } from "./transport.ts";

/** What is known of a blob. */
export interface BlobShown {
  /** Bytes. */
  size: number;
  /** Another one whenever the blob is another. */
  etag: string;
  /** The end of its lock; the lock is one that nobody can lift where `final`. */
  lock: { until: Date; final: boolean } | undefined;
  /** Locked by somebody, for as long as he likes. */
  held: boolean;
  /** No file, but what accounts with folders show in the place of one. */
  folder: boolean;
}

/** What is stored; undefined where nothing is, in a container that is there. */
export async function lookAt(service: Service, { key, name, signal }: Named): Promise<BlobShown | undefined> {
  try {
    const shown = await service.call(
      { what: key, signal, needs: "r" },
      (container, options) => container.getBlobClient(name).getProperties(options),
    );
    const { contentLength: size, etag, immutabilityPolicyExpiresOn: until, immutabilityPolicyMode: mode } =
      shown;
    if (size === undefined || !etag) throw incomplete(quoted(key));
    return {
      ...{ size, etag, held: shown.legalHold === true, folder: isFolder(shown.metadata) },
      lock: until && mode ? { until, final: mode.toLowerCase() === "locked" } : undefined,
    };
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
}

/** What accounts with a hierarchical namespace list in the place of a folder. */
export function isFolder(metadata: Record<string, string> | undefined): boolean {
  return metadata?.["hdi_isfolder"] === "true";
}

/** A download that goes on where it was cut off, as long as the blob is the same. */
export function download(
  service: Service,
  { key, name, signal }: Named,
  range: ByteRange | undefined,
  translate: (error: unknown) => unknown,
): Promise<ReadableStream<Uint8Array>> {
  let etag: string | undefined;
  return resumableGet({
    ...{ key, range, signal, clock: service.parts.clock, translate },
    ask: async (start, end, until) => {
      const asked = { key, name, signal: until };
      // HTTP has no word for a range of nothing, nor for one that is none: its size tells which it is.
      const sound = Number.isSafeInteger(start) && start >= 0 && (end === undefined || end > start);
      const found = sound
        ? await piece(service, asked, start, end, etag)
        : await nothing(service, asked, start);
      etag = found.version;
      return found;
    },
  });
}

async function piece(
  service: Service,
  asked: Named,
  start: number,
  end: number | undefined,
  ifMatch: string | undefined,
): Promise<Piece> {
  const { key, name, signal } = asked;
  try {
    return await service.call(
      { what: key, signal, needs: "r", tries: 1 },
      async (container, options, request) => {
        const conditions = ifMatch === undefined ? {} : { ifMatch };
        const count = end === undefined ? undefined : end - start;
        const got = await container.getBlobClient(name).download(start, count, {
          ...{ ...options, conditions, maxRetryRequests: 0 },
        });
        const [, from, whole] = /^bytes (\d+)-\d+\/(\d+)$/.exec(got.contentRange ?? "") ?? [];
        const size = whole === undefined ? got.contentLength : Number(whole);
        if (!request.blob || size === undefined || !got.etag) throw incomplete(quoted(key));
        return { body: request.blob, start: Number(from ?? 0), size, version: got.etag };
      },
    );
  } catch (error) {
    const status = isAppError(error) && error.cause instanceof Refused ? error.cause.status : undefined;
    if (status === 416) return await nothing(service, asked, start);
    if (status !== 412) throw error;
    throw new AppError("corrupt", `${quoted(key)} was changed while it was read`, { cause: error });
  }
}

/** No bytes of a blob that is there. */
async function nothing(service: Service, named: Named, start: number): Promise<Piece> {
  const shown = await lookAt(service, named);
  if (!shown) throw new AppError("not-found", `there is no ${quoted(named.key)}`);
  return { body: new Blob().stream(), start, size: shown.size, version: shown.etag };
}

/** One page of the names that begin with `prefix`; `from` is the last page's `next`. */
export async function pageOf(
  service: Service,
  prefix: string,
  from: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const { value } = await service.call(
    { what: service.what, signal, needs: "l" },
    (container, options) => {
      const all = container.listBlobsFlat({ ...options, prefix, includeMetadata: true });
      return all.byPage({
        maxPageSize: service.parts.page,
        ...(from === undefined ? {} : { continuationToken: from }),
      })
        .next();
    },
  );
  const page = value as ContainerListBlobFlatSegmentResponse | undefined;
  if (!page?.segment) throw incomplete(service.what);
  const next = page.continuationToken || undefined;
  if (next !== undefined && next === from) {
    throw new AppError("transient", `the list of ${service.what} does not come to its end`);
  }
  const found = page.segment.blobItems.filter((item) => !isFolder(item.metadata)).map(
    ({ name, properties }) => {
      // An answer to another question is no list of ours.
      if (!name.startsWith(prefix) || properties?.contentLength === undefined) throw incomplete(service.what);
      return { name, size: properties.contentLength };
    },
  );
  return { found, next };
}

/** Removes a blob, only this very one where `ifMatch` is given; fine where there is none. */
export async function removeBlob(
  service: Service,
  { key, name, signal }: Named,
  ifMatch?: string,
): Promise<void> {
  try {
    await service.call(
      { what: key, signal, needs: "d" },
      (container, options) =>
        container.getBlobClient(name).delete({
          ...options,
          ...(ifMatch === undefined ? {} : { conditions: { ifMatch } }),
        }),
    );
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
}

/**
 * Throws `denied` where a blob is locked. Where versions are kept, a removal that is asked for would hide even what is
 * locked; so it is not asked for.
 */
export async function refuseIfLocked(service: Service, named: Named): Promise<void> {
  const shown = await lookAt(service, named).catch((error) => {
    if (isAppError(error, "denied")) return undefined; // who may only remove is told by the removal
    throw error;
  });
  if (shown?.held) throw locked(named.key, "a legal hold locks it");
  if (shown?.lock && shown.lock.until > service.parts.clock.now()) {
    throw locked(named.key, `a policy locks it until ${shown.lock.until.toISOString()}`);
  }
}
