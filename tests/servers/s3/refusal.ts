import type { XmlTree } from "./xml.ts";

/** An answer of the service that is no success, in its own words. */
export class S3Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly more: XmlTree = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export const invalid = (message: string) => new S3Refusal(400, "InvalidRequest", message);
export const invalidArgument = (message: string) => new S3Refusal(400, "InvalidArgument", message);
export const notImplemented = () =>
  new S3Refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented");
export const noSuchKey = (key: string) =>
  new S3Refusal(404, "NoSuchKey", "The specified key does not exist.", { Key: key });
export const noSuchUpload = () =>
  new S3Refusal(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid.");
export const preconditionFailed = (condition: string) =>
  new S3Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    Condition: condition,
  });
export const accessDenied = (message = "Access Denied") => new S3Refusal(403, "AccessDenied", message);
