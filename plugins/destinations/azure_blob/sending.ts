import { AppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { policyUntil } from "./locks.ts";
import type { BlockBlobUploadOptions } from "./sdk.ts";
import type { Named } from "./service.ts";

/** What is to be stored, and how. */
export interface Upload extends Named {
  body: Resendable;
  /** The service refuses to remove or replace it before this moment. */
  lockUntil: Date | undefined;
  /** In one request whatever its size, which is all that some credentials allow. */
  whole: boolean;
}

/** What is the same for all ways to store. */
export function howToStore({ lockUntil }: Upload): BlockBlobUploadOptions {
  return {
    conditions: { ifNoneMatch: "*" },
    blobHTTPHeaders: { blobContentType: "application/octet-stream" },
    ...(lockUntil === undefined ? {} : { immutabilityPolicy: policyUntil(lockUntil) }),
  };
}

/** Throws unless the service has counted the same sum over what arrived, where it tells one. */
export function confirm(key: string, sent: Uint8Array, told: Uint8Array | undefined): void {
  if (told === undefined || told.every((byte, at) => byte === sent[at])) return;
  throw new AppError("corrupt", `the service has other bytes of ${quoted(key)} than were sent`);
}
