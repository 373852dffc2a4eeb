import { createHash } from "node:crypto";
import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { blocksOf } from "../../../src/destination/body.ts";
import { BlockList } from "./block_list.ts";
import { noLocks } from "./locks.ts";
import { isRefusal, isUnknownTo } from "./refusals.ts";
import { confirm, howToStore, type Upload } from "./sending.ts";
import { incomplete, type Service } from "./service.ts";

const MIB = 1024 * 1024;
/** Bytes of a block, until 50,000 of them do not suffice any more. */
export const BLOCK = 8 * MIB;
const MAX_BLOCKS = 50_000;
/** Bytes that Azure takes in one request, and in one block. */
const MAX_WHOLE = 5000 * MIB;
const MAX_BLOCK = 4000 * MIB;

/** Bytes of each block of an upload, and of what is sent in one request at the most. */
export function blockSize(size: number): number {
  return Math.max(BLOCK, Math.ceil(size / MAX_BLOCKS / MIB) * MIB);
}

/**
 * Stores a body: a short one by one request, a long one in blocks that are published by the last. Returns the etag of
 * what was published when the service has confirmed it with the checksums that were sent.
 *
 * @throws `already-exists`, `corrupt`, `quota` where it is too large, or what else the service says
 */
export async function upload(service: Service, sending: Upload): Promise<string> {
  const { key, body: { size } } = sending, block = blockSize(size);
  if (block > MAX_BLOCK || (sending.whole && size > MAX_WHOLE)) throw tooLarge(key, sending.whole);
  try {
    return await (size > block && !sending.whole
      ? new BlockList(service, sending).run(block)
      : putWhole(service, sending));
  } catch (error) {
    if (sending.lockUntil && isUnknownTo(error, 400, 409)) throw noLocks(service, error);
    throw taken(error, sending, service.parts.signIn.sas);
  }
}

async function putWhole(service: Service, sending: Upload): Promise<string> {
  const { key, name, body, signal } = sending;
  // The sum goes before the bytes, so they are read twice.
  const md5 = await sumOf(sending);
  const { etag, contentMD5 } = await service.call(
    { what: key, signal, needs: "c", sends: body.size },
    (container, options) =>
      container.getBlockBlobClient(name).upload(bodyOf(sending), body.size, {
        ...{ ...options, ...howToStore(sending) },
        transactionalContentMD5: md5,
      }),
  );
  if (!etag) throw incomplete(quoted(key));
  confirm(key, md5, contentMD5);
  return etag;
}

/** MD5 of the body; throws `corrupt` where it is not what it says. */
async function sumOf({ key, body, signal }: Upload): Promise<Uint8Array> {
  const sum = createHash("md5");
  for await (const { bytes, release } of blocksOf(key, body, MIB, signal)) {
    sum.update(bytes);
    release();
  }
  return new Uint8Array(sum.digest());
}

/**
 * A body for one request, opened for each try. Its last bytes come when all of it has proved to be what it says: a
 * request that lacks them publishes nothing.
 */
function bodyOf({ key, body, signal }: Upload) {
  const open = () => {
    const over = new AbortController();
    const blocks = blocksOf(key, body, MIB, AbortSignal.any([signal, over.signal]));
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await blocks.next();
        if (done) return controller.close();
        if (value.bytes.length > 0) return controller.enqueue(value.bytes);
        await blocks.return();
        controller.close();
      },
      cancel: () => over.abort(), // also of a body that hangs
    }, { highWaterMark: 0 });
  };
  // The library takes a function that opens a stream of node's; ours goes through it unseen to the door.
  return open as unknown as () => NodeJS.ReadableStream;
}

function tooLarge(key: string, whole: boolean): AppError {
  return new AppError("quota", `${quoted(key)} is larger than Azure takes${whole ? " in one request" : ""}`, {
    hint: whole
      ? "with access: create-only a file may have 5,000 MiB; leave it out, and give credentials that may write and read"
      : "190 TiB are the most",
  });
}

/** A name that is taken, however the service calls what keeps it from being replaced. */
function taken(
  error: unknown,
  { key, lockUntil, body, whole }: Upload,
  sas: URLSearchParams | undefined,
): unknown {
  if (!isAppError(error)) return error;
  const single = whole || body.size <= blockSize(body.size);
  // A signature that allows to create, and is not enough to: it would have to replace.
  const mayCreate = single && lockUntil === undefined && sas?.get("sp")?.includes("c") === true;
  const kept =
    isRefusal(error, "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold", "LeaseIdMissing") ||
    (mayCreate && isRefusal(error, "AuthorizationPermissionMismatch"));
  if (!kept) return error;
  return new AppError("already-exists", `${quoted(key)} exists already`, { cause: error.cause });
}
