import { accessDenied } from "./refusal.ts";
import type { S3Request } from "./request.ts";
import type { Signer } from "./signature.ts";

/** Somebody and what they may do. */
export interface Member extends Signer {
  /** Actions as policies name them, without `s3:`; everything where left out. */
  may?: readonly string[];
}

/** The action that stands in a policy for an operation. */
const ACTIONS: Record<string, string> = {
  CreateMultipartUpload: "PutObject",
  UploadPart: "PutObject",
  CompleteMultipartUpload: "PutObject",
  HeadObject: "GetObject",
  HeadBucket: "ListBucket",
  ListObjects: "ListBucket",
  ListObjectsV2: "ListBucket",
  ListMultipartUploads: "ListBucketMultipartUploads",
  GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
  ListBuckets: "ListAllMyBuckets",
  DeleteObjects: "DeleteObject",
};

/** Throws AccessDenied where `member` may not do it. */
export function checkRights(member: Member, operation: string, { query, headers }: S3Request): void {
  const needed = [ACTIONS[operation] ?? operation];
  if (query.has("versionId")) needed[0] = `${needed[0]}Version`;
  if (headers["x-amz-object-lock-mode"] !== undefined) needed.push("PutObjectRetention");
  if (needed.some((action) => !mayDo(member, action))) throw accessDenied();
}

export function mayDo({ may }: Member, action: string): boolean {
  return may === undefined || may.includes(action);
}
