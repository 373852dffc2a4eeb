/** Signature version 4, from the server's side: nothing is believed that was not signed. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { accessDenied, invalid, S3Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";

/** Somebody who may send requests. */
export interface Signer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** What a checked signature goes on with: the frames of a stream are signed by it. */
export interface Signed {
  signer: Signer;
  date: string;
  scope: string;
  key: Uint8Array;
  signature: string;
  /** The value of `x-amz-content-sha256`. */
  payload: string;
}

export const EMPTY_SHA256 = sha256("");
const ALGORITHM = "AWS4-HMAC-SHA256";
/** The server and the client may disagree by so much. */
const SKEW = 15 * 60 * 1000;

interface Claim {
  accessKeyId: string;
  scope: string;
  signedHeaders: string[];
  signature: string;
  date: string;
  payload: string;
  query: string;
  token: string | undefined;
}

/** Checks who sent a request, and that it is as it was sent. */
export function checkSignature(
  request: S3Request,
  signers: ReadonlyMap<string, Signer>,
  region: string,
  now: Date,
): Signed {
  const claim = claimOf(request, now);
  const signer = signers.get(claim.accessKeyId);
  if (!signer) {
    throw new S3Refusal(
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      {
        AWSAccessKeyId: claim.accessKeyId,
      },
    );
  }
  if (claim.token !== signer.sessionToken) {
    throw new S3Refusal(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
  const [day, where, service, end] = claim.scope.split("/");
  if (service !== "s3" || end !== "aws4_request" || day !== claim.date.slice(0, 8)) {
    throw new S3Refusal(400, "AuthorizationHeaderMalformed", "The credential is mal-formed.");
  }
  if (where !== region) {
    throw new S3Refusal(
      400,
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${where}' is wrong; expecting '${region}'`,
      { Region: region },
    );
  }
  const key = ["aws4_request", service, where].reduceRight(
    (key, part) => hmac(key, part),
    hmac(`AWS4${signer.secretAccessKey}`, day),
  );
  const expected = hmacHex(key, stringToSign(request, claim));
  if (!sameText(expected, claim.signature)) {
    throw new S3Refusal(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { StringToSign: stringToSign(request, claim), SignatureProvided: claim.signature },
    );
  }
  return { signer, key, date: claim.date, scope: claim.scope, signature: expected, payload: claim.payload };
}

function claimOf(request: S3Request, now: Date): Claim {
  const claim = request.headers["authorization"] === undefined
    ? claimInQuery(request)
    : claimInHeader(request);
  const at = Date.parse(claim.date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(at)) throw accessDenied("AWS authentication requires a valid Date or x-amz-date header");
  const expires = Number(request.query.get("X-Amz-Expires") ?? 0) * 1000;
  if (at - now.getTime() > SKEW || now.getTime() - at > Math.max(SKEW, expires)) {
    throw new S3Refusal(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      { RequestTime: claim.date, ServerTime: now.toISOString(), MaxAllowedSkewMilliseconds: SKEW },
    );
  }
  for (const name of Object.keys(request.headers)) {
    const must = name === "host" || name.startsWith("x-amz-") || name === "content-md5";
    if (must && !claim.signedHeaders.includes(name)) {
      throw accessDenied(`There were headers present in the request which were not signed: ${name}`);
    }
  }
  return claim;
}

function claimInHeader({ headers, rawQuery }: S3Request): Claim {
  const found =
    /^AWS4-HMAC-SHA256\s+Credential=([^/,]+)\/([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/
      .exec(headers["authorization"] ?? "");
  if (!found) {
    throw invalid(
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    );
  }
  const payload = headers["x-amz-content-sha256"];
  if (payload === undefined) throw invalid("Missing required header for this request: x-amz-content-sha256");
  return {
    accessKeyId: found[1]!,
    scope: found[2]!,
    signedHeaders: found[3]!.split(";"),
    signature: found[4]!,
    date: headers["x-amz-date"] ?? "",
    payload,
    query: rawQuery,
    token: headers["x-amz-security-token"],
  };
}

/** Of an address that was signed for whoever has it. */
function claimInQuery({ query, rawQuery }: S3Request): Claim {
  const [accessKeyId = "", ...scope] = (query.get("X-Amz-Credential") ?? "").split("/");
  if (query.get("X-Amz-Algorithm") !== ALGORITHM || accessKeyId === "") throw accessDenied();
  return {
    accessKeyId,
    scope: scope.join("/"),
    signedHeaders: (query.get("X-Amz-SignedHeaders") ?? "").split(";"),
    signature: query.get("X-Amz-Signature") ?? "",
    date: query.get("X-Amz-Date") ?? "",
    payload: "UNSIGNED-PAYLOAD",
    query: rawQuery.split("&").filter((one) => !one.startsWith("X-Amz-Signature=")).join("&"),
    token: query.get("X-Amz-Security-Token"),
  };
}

function stringToSign(request: S3Request, claim: Claim): string {
  const headers = claim.signedHeaders.map((name) =>
    `${name}:${(request.headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`
  );
  const canonical = [
    request.method,
    request.rawPath.split("/").map((part) => escaped(decodeURIComponent(part))).join("/"),
    canonicalQuery(claim.query),
    headers.join(""),
    claim.signedHeaders.join(";"),
    claim.payload,
  ].join("\n");
  return [ALGORITHM, claim.date, claim.scope, sha256(canonical)].join("\n");
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  return query.split("&").map((one) => {
    const [name = "", value = ""] = one.split(/=(.*)/s);
    return [escaped(decodeURIComponent(name)), escaped(decodeURIComponent(value))] as const;
  }).sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : 1).map((one) => one.join("=")).join("&");
}

/** The signature of one frame of a stream, or of what follows it. */
export function frameSignature(
  signed: Signed,
  previous: string,
  kind: "PAYLOAD" | "TRAILER",
  hashes: string[],
): string {
  return hmacHex(
    signed.key,
    [`${ALGORITHM}-${kind}`, signed.date, signed.scope, previous, ...hashes].join("\n"),
  );
}

export function sameText(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: string | Uint8Array, data: string): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}

function hmacHex(key: Uint8Array, data: string): string {
  return createHmac("sha256", key).update(data).digest("hex");
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
