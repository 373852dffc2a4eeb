import { createHash } from "node:crypto";
import { base64, hex } from "../../../src/base/bytes.ts";
import { AppError } from "../../../src/base/errors.ts";
import { sha256 } from "../../../src/base/hash.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { headOf, removeVersion } from "./objects.ts";
import { type Named, type Service, strange } from "./service.ts";

/** What is to be stored, and how. */
export interface Upload extends Named {
  body: Resendable;
  /** The service refuses to remove or replace it before this moment. */
  lockUntil: Date | undefined;
  /** Whether the request that publishes is refused where the key exists. */
  conditional: boolean;
  checksums: "sha256" | "md5";
  /** Throws where the key exists; left out where these credentials cannot look. */
  refuseIfPresent: (() => Promise<void>) | undefined;
}

/** What was published. */
export interface Published {
  etag: string;
  version: string | undefined;
}

/** What the service is to compare some bytes with. */
export interface Digest {
  sha256: Uint8Array;
  /** The headers for it, as the library's commands call them. */
  inputs: { ChecksumSHA256?: string; ContentMD5?: string };
}

export function digestOf(bytes: Uint8Array, { checksums, lockUntil }: Upload): Digest {
  const digest = sha256(bytes), inputs: Digest["inputs"] = {};
  if (checksums === "sha256") inputs.ChecksumSHA256 = base64(digest);
  // What is locked must come with a checksum, and not every service means SHA-256 by that.
  if (checksums === "md5" || lockUntil) inputs.ContentMD5 = createHash("md5").update(bytes).digest("base64");
  return { sha256: digest, inputs };
}

/** A command, as far as its headers are concerned. */
interface Hashable {
  middlewareStack: {
    // deno-lint-ignore no-explicit-any
    add(middleware: (next: any) => (args: any) => Promise<any>, options: { step: "build" }): void;
  };
}

/** `command` signed with a hash of its body that is known already. */
export function withHash<Command extends Hashable>(command: Command, { sha256 }: Digest): Command {
  command.middlewareStack.add((next) => (args) => {
    args.request.headers["x-amz-content-sha256"] = hex(sha256);
    return next(args);
  }, { step: "build" });
  return command;
}

/** A lock that nobody can lift, not even who owns the bucket. */
export function lockInputs({ lockUntil }: Upload) {
  if (lockUntil === undefined) return {};
  return { ObjectLockMode: "COMPLIANCE" as const, ObjectLockRetainUntilDate: lockUntil };
}

/** What a publishing request has to answer. */
export interface Confirmation {
  ETag?: string | undefined;
  VersionId?: string | undefined;
  ChecksumSHA256?: string | undefined;
}

/**
 * What was published, once the answer says so with the checksum that it should have: one of `checksums` (base64), or
 * none where the service tells none. What is there with another one is taken back.
 *
 * @throws `transient` on an answer that is none of S3's; `corrupt`
 */
export async function confirmed(
  service: Service,
  upload: Upload,
  { ETag, VersionId, ChecksumSHA256 }: Confirmation,
  checksums: readonly string[],
): Promise<Published> {
  if (!ETag) throw strange(quoted(upload.key));
  const published = { etag: ETag, version: VersionId };
  if (ChecksumSHA256 === undefined || checksums.includes(ChecksumSHA256)) return published;
  await withdraw(service, upload, published).catch(() => {});
  throw notKept(upload.key);
}

export function notKept(key: string): AppError {
  return new AppError("corrupt", `the service has other bytes of ${quoted(key)} than were sent`);
}

/** Takes back what was published, and nothing that somebody else has put there since. */
export async function withdraw(service: Service, named: Named, published: Published): Promise<void> {
  const { key, name } = named;
  const still = { key, name, signal: AbortSignal.timeout(20_000) };
  if (published.version === undefined && (await headOf(service, still))?.etag !== published.etag) return;
  await removeVersion(service, still, published.version);
}
