import { invalid, invalidArgument, S3Refusal } from "./refusal.ts";
import type { S3Answer, S3Request } from "./request.ts";
import type { Bucket, Retention } from "./store.ts";
import { content, document } from "./xml.ts";

/** The lock that a request asks for; throws where it is none, or where the bucket has none to give. */
export function retentionAsked({ headers }: S3Request, bucket: Bucket): Retention | undefined {
  const mode = headers["x-amz-object-lock-mode"], until = headers["x-amz-object-lock-retain-until-date"];
  if (mode === undefined && until === undefined) return undefined;
  if (mode === undefined || until === undefined) {
    throw invalidArgument(
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    );
  }
  return checked(mode, until, bucket);
}

function checked(mode: string, text: string, bucket: Bucket): Retention {
  if (!bucket.locks) throw invalid("Bucket is missing Object Lock Configuration");
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") throw invalidArgument("Unknown wormMode directive.");
  const until = new Date(text);
  if (Number.isNaN(until.getTime())) {
    throw invalidArgument("The retain until date must be provided in ISO 8601 format");
  }
  if (until.getTime() <= Date.now()) throw invalidArgument("The retain until date must be in the future!");
  return { mode, until };
}

export function retentionHeaders(retention: Retention | undefined): Record<string, string> {
  return retention
    ? {
      "x-amz-object-lock-mode": retention.mode,
      "x-amz-object-lock-retain-until-date": retention.until.toISOString(),
    }
    : {};
}

/** Retention is only ever made longer, unless nobody is to be bound by it for good. */
export function putRetention(request: S3Request, bucket: Bucket): S3Answer {
  const text = new TextDecoder().decode(request.body);
  const version = bucket.find(request.key, request.query.get("versionId"));
  const asked = checked(content(text, "Mode") ?? "", content(text, "RetainUntilDate") ?? "", bucket);
  const { retention } = version;
  if (retention?.mode === "COMPLIANCE" && (asked.until < retention.until || asked.mode === "GOVERNANCE")) {
    throw new S3Refusal(403, "AccessDenied", "Access Denied because object protected by object lock.");
  }
  version.retention = asked;
  return { status: 200 };
}

export function lockConfiguration(bucket: Bucket): S3Answer {
  if (!bucket.locks) {
    throw new S3Refusal(
      404,
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
      { BucketName: bucket.name },
    );
  }
  return { status: 200, body: document("ObjectLockConfiguration", { ObjectLockEnabled: "Enabled" }) };
}
