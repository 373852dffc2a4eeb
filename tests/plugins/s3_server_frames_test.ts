/** Signed frames, by the example in Amazon's own description of them. */
import assert from "node:assert/strict";
import { unframed } from "../servers/s3/payload.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import type { S3Request } from "../servers/s3/request.ts";
import { checkSignature } from "../servers/s3/signature.ts";

const MEMBER = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const SIGNATURES = [
  "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
  "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

/** 65 KiB of "a" in two frames. */
function request(signatures: readonly string[] = SIGNATURES, letter = "a"): S3Request {
  const text = [65_536, 1024, 0].map((size, at) =>
    `${size.toString(16)};chunk-signature=${signatures[at]}\r\n${letter.repeat(size)}\r\n`
  ).join("");
  return {
    method: "PUT",
    rawPath: "/examplebucket/chunkObject.txt",
    rawQuery: "",
    query: new Map(),
    bucket: "examplebucket",
    key: "chunkObject.txt",
    trailers: new Map(),
    body: new TextEncoder().encode(text),
    headers: {
      "host": "s3.amazonaws.com",
      "x-amz-date": "20130524T000000Z",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      "content-length": "66824",
      "authorization":
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
        "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;" +
        "x-amz-decoded-content-length;x-amz-storage-class," +
        "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    },
  };
}

function received(sent: S3Request): S3Request {
  const now = new Date("2013-05-24T00:00:00Z");
  const members = new Map([[MEMBER.accessKeyId, MEMBER]]);
  return unframed(sent, checkSignature(sent, members, "us-east-1", now));
}

Deno.test("s3 server: the example's frames are accepted, and are its body", () => {
  const { body } = received(request());
  assert.equal(body.length, 66_560);
  assert.ok(body.every((byte) => byte === 97));
});

Deno.test("s3 server: frames that were changed, exchanged or cut are refused", () => {
  const [one, two, three] = SIGNATURES as [string, string, string];
  const refused = (sent: S3Request, code: string) =>
    assert.throws(() => received(sent), (error) => error instanceof S3Refusal && error.code === code);
  refused(request(SIGNATURES, "b"), "SignatureDoesNotMatch");
  refused(request([two, one, three]), "SignatureDoesNotMatch");
  refused(request([one, two, one]), "SignatureDoesNotMatch");
  const whole = request();
  refused({ ...whole, body: whole.body.subarray(0, 66_000) }, "IncompleteBody");
  refused({ ...whole, rawPath: "/examplebucket/other.txt" }, "SignatureDoesNotMatch");
  const less = { ...whole.headers, "x-amz-decoded-content-length": "66559" };
  refused({ ...whole, headers: less }, "SignatureDoesNotMatch");
});
