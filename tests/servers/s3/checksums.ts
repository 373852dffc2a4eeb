import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crc32c } from "../crc32c.ts";
import { invalid, S3Refusal } from "./refusal.ts";

export type Algorithm = "crc32" | "crc32c" | "sha1" | "sha256";

/** What is known to the server; a request with another one is refused, never accepted unchecked. */
const ALGORITHMS: Record<Algorithm, (bytes: Uint8Array) => Uint8Array> = {
  crc32: (bytes) => bigEndian(crc32(bytes)),
  crc32c: (bytes) => bigEndian(crc32c(bytes)),
  sha1: (bytes) => digest("sha1", bytes),
  sha256: (bytes) => digest("sha256", bytes),
};

export interface Checksum {
  algorithm: Algorithm;
  /** Base64. */
  value: string;
}

export function isAlgorithm(name: string): name is Algorithm {
  return name in ALGORITHMS;
}

export function checksum(algorithm: Algorithm, bytes: Uint8Array): string {
  return Buffer.from(ALGORITHMS[algorithm](bytes)).toString("base64");
}

/** The checksum of a whole that was sent in parts: that of the parts' checksums, and their number. */
export function composite(algorithm: Algorithm, parts: readonly string[]): string {
  const all = Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
  return `${checksum(algorithm, all)}-${parts.length}`;
}

export function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/**
 * Compares a body with every checksum that came with it, before or after it.
 *
 * @throws BadDigest, InvalidDigest; InvalidRequest on more than one, or one that is announced and missing
 */
export function checkBody(
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>>,
  trailers: ReadonlyMap<string, string>,
): Checksum | undefined {
  const md5 = headers["content-md5"];
  if (md5 !== undefined) {
    if (!/^[A-Za-z0-9+/]{22}==$/.test(md5)) {
      throw new S3Refusal(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
    }
    if (Buffer.from(md5, "base64").toString("hex") !== md5Hex(bytes)) throw badDigest("Content-MD5");
  }
  const given = [...Object.entries(headers), ...trailers].flatMap(([name, value]) => {
    const algorithm = /^x-amz-checksum-(\w+)$/.exec(name)?.[1];
    return algorithm === undefined || ["mode", "type", "algorithm"].includes(algorithm)
      ? []
      : [[algorithm, value] as const];
  });
  if (given.length > 1) {
    throw invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  const announced = headers["x-amz-trailer"];
  if (announced !== undefined && !trailers.has(announced.toLowerCase())) {
    throw new S3Refusal(
      400,
      "MalformedTrailerError",
      "The request contained trailing data that was not well-formed.",
    );
  }
  const [only] = given;
  if (!only) {
    if (headers["x-amz-sdk-checksum-algorithm"] !== undefined) {
      throw invalid(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      );
    }
    return undefined;
  }
  const [algorithm, value] = only;
  if (!isAlgorithm(algorithm)) throw invalid(`the checksum ${algorithm} is not known to this server`);
  const bits = { crc32: 4, crc32c: 4, sha1: 20, sha256: 32 }[algorithm];
  if (Buffer.from(value, "base64").length !== bits) {
    throw invalid(`Value for x-amz-checksum-${algorithm} header is invalid.`);
  }
  if (checksum(algorithm, bytes) !== value) throw badDigest(algorithm.toUpperCase());
  return { algorithm, value };
}

function badDigest(name: string): S3Refusal {
  return new S3Refusal(400, "BadDigest", `The ${name} you specified did not match the calculated checksum.`);
}

function digest(name: string, bytes: Uint8Array): Uint8Array {
  return createHash(name).update(bytes).digest();
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
