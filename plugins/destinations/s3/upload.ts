import { base64 } from "../../../src/base/bytes.ts";
import { AppError } from "../../../src/base/errors.ts";
import { blocksOf } from "../../../src/destination/body.ts";
import { Multipart } from "./multipart.ts";
import { confirmed, digestOf, lockInputs, type Published, type Upload, withHash } from "./published.ts";
import { PutObjectCommand } from "./sdk.ts";
import type { Service } from "./service.ts";

const MIB = 1024 * 1024;
/** Bytes of a part, until 10,000 of them do not suffice any more. */
export const PART = 8 * MIB;
const MAX_PARTS = 10_000;

/** Bytes of each part of an upload, and of what is sent without parts at the most. */
export function partSize(size: number): number {
  return Math.max(PART, Math.ceil(size / MAX_PARTS / MIB) * MIB);
}

/**
 * Stores a body: a short one by one request, a long one in parts that are published by the last. Returns when the
 * service has confirmed it with the checksum that was sent.
 *
 * @throws `already-exists`, `corrupt` (then nothing is left of it), or what else the service says
 */
export async function upload(service: Service, sending: Upload): Promise<Published> {
  const size = partSize(sending.body.size);
  if (sending.body.size > size) return await new Multipart(service, sending).run(size);
  for await (const { bytes, last } of blocksOf(sending.key, sending.body, size, sending.signal)) {
    if (last) return await putWhole(service, sending, bytes);
  }
  throw new AppError("unknown", "a body had no end"); // never: the last block says that it is the last
}

async function putWhole(service: Service, sending: Upload, bytes: Uint8Array): Promise<Published> {
  const { key, name, signal, conditional } = sending;
  const digest = digestOf(bytes, sending);
  const command = () =>
    new PutObjectCommand({
      Bucket: service.parts.bucket,
      Key: name,
      Body: bytes,
      ContentLength: bytes.length,
      ContentType: "application/octet-stream",
      ...digest.inputs,
      ...lockInputs(sending),
      ...(conditional ? { IfNoneMatch: "*" } : {}),
    });
  const answer = await service.call(
    { what: key, signal, sends: bytes.length },
    (client, options) => client.send(withHash(command(), digest), options),
  );
  return await confirmed(service, sending, answer, [base64(digest.sha256)]);
}
