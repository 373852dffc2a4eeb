/** The body behind a signature: hashed as a whole, or in frames of `aws-chunked`. */
import { invalid, S3Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";
import { EMPTY_SHA256, frameSignature, sameText, sha256, type Signed } from "./signature.ts";

/** `request` with its body unframed; throws where it is not the one that was signed. */
export function unframed(request: S3Request, signed: Signed): S3Request {
  const { payload } = signed;
  if (!payload.startsWith("STREAMING-")) {
    if (payload !== "UNSIGNED-PAYLOAD" && payload !== sha256(request.body)) {
      throw new S3Refusal(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    return request;
  }
  const kinds = /^STREAMING-(AWS4-HMAC-SHA256|UNSIGNED)-PAYLOAD(-TRAILER)?$/.exec(payload);
  if (!kinds || (kinds[1] === "UNSIGNED" && !kinds[2])) throw invalid(`${payload} is not supported`);
  if (!/(^|,)\s*aws-chunked\b/.test(request.headers["content-encoding"] ?? "")) {
    throw invalid("a streamed payload needs Content-Encoding: aws-chunked");
  }
  const frames = new Frames(request.body, kinds[1] === "UNSIGNED" ? undefined : signed);
  const body = frames.body();
  const trailers = kinds[2] ? frames.trailers() : new Map<string, string>();
  if (request.headers["x-amz-decoded-content-length"] !== String(body.length)) {
    throw new S3Refusal(
      400,
      "IncompleteBody",
      "You did not provide the number of bytes specified by x-amz-decoded-content-length.",
    );
  }
  return { ...request, body, trailers };
}

class Frames {
  #at = 0;
  #previous: string;

  constructor(readonly bytes: Uint8Array, readonly signed: Signed | undefined) {
    this.#previous = signed?.signature ?? "";
  }

  body(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (;;) {
      const [size, ...extensions] = this.#line().split(";");
      if (!/^[0-9a-f]+$/i.test(size ?? "")) throw malformed();
      const length = parseInt(size!, 16);
      const part = this.bytes.subarray(this.#at, this.#at + length);
      if (part.length < length) throw malformed();
      this.#at += length;
      if (this.signed) {
        const given = extensions.find((one) => one.startsWith("chunk-signature="))?.slice(16) ?? "";
        this.#check(this.signed, "PAYLOAD", [EMPTY_SHA256, sha256(part)], given);
      }
      if (length === 0) return new Uint8Array(Buffer.concat(parts));
      if (this.#line() !== "") throw malformed();
      parts.push(part);
    }
  }

  /** What follows the last frame: headers, and their signature where the frames have some. */
  trailers(): Map<string, string> {
    const found = new Map<string, string>();
    let canonical = "";
    for (let line = this.#line(); line !== ""; line = this.#line()) {
      const [name = "", value = ""] = line.split(/:(.*)/s);
      if (name.toLowerCase() === "x-amz-trailer-signature") {
        if (this.signed) this.#check(this.signed, "TRAILER", [sha256(canonical)], value.trim());
        canonical = "";
        continue;
      }
      found.set(name.toLowerCase(), value.trim());
      canonical += `${name.toLowerCase()}:${value.trim()}\n`;
    }
    if (this.signed && canonical !== "") throw malformed();
    return found;
  }

  #check(signed: Signed, kind: "PAYLOAD" | "TRAILER", hashes: string[], given: string): void {
    const expected = frameSignature(signed, this.#previous, kind, hashes);
    if (!sameText(expected, given)) {
      throw new S3Refusal(403, "SignatureDoesNotMatch", "The chunk signature does not match.");
    }
    this.#previous = expected;
  }

  /** The next line; nothing after the end, where some clients leave the last empty line out. */
  #line(): string {
    if (this.#at >= this.bytes.length) return "";
    const end = this.bytes.indexOf(13, this.#at);
    if (end < 0 || end - this.#at > 1000 || this.bytes[end + 1] !== 10) throw malformed();
    const line = new TextDecoder().decode(this.bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return line;
  }
}

function malformed(): S3Refusal {
  return new S3Refusal(400, "IncompleteBody", "The request body terminated unexpectedly");
}
