import { hex } from "../../../src/base/bytes.ts";
import type { Algorithm, Checksum } from "./checksums.ts";
import { accessDenied, noSuchKey, preconditionFailed, S3Refusal } from "./refusal.ts";

/** A lock against removal. */
export interface Retention {
  mode: "GOVERNANCE" | "COMPLIANCE";
  until: Date;
}

/** One version of a key. */
export interface Version {
  /** `null` where the bucket keeps no versions. */
  id: string;
  bytes: Uint8Array;
  /** With its quotes. */
  etag: string;
  modified: Date;
  /** `content-type` and `x-amz-meta-…`, as they came. */
  metadata: Record<string, string>;
  checksum?: Checksum | undefined;
  retention?: Retention | undefined;
  /** Stands for "removed": there is nothing below it. */
  marker: boolean;
}

/** An upload in parts that is not completed. */
export interface Upload {
  id: string;
  key: string;
  initiated: Date;
  algorithm: Algorithm | undefined;
  metadata: Record<string, string>;
  retention: Retention | undefined;
  parts: Map<number, { bytes: Uint8Array; etag: string; checksum: Checksum | undefined; modified: Date }>;
}

export class Bucket {
  /** Newest last. */
  readonly versions = new Map<string, Version[]>();
  readonly uploads = new Map<string, Upload>();

  /** Locks need versions. */
  constructor(readonly name: string, readonly versioned = false, readonly locks = false) {}

  /** What a plain request sees; undefined for a key that is absent or removed. */
  current(key: string): Version | undefined {
    const last = this.versions.get(key)?.at(-1);
    return last?.marker ? undefined : last;
  }

  /** Keys that are there, in the order of their bytes. */
  keys(prefix: string): string[] {
    return [...this.versions.keys()].filter((key) => key.startsWith(prefix) && this.current(key)).sort(
      byBytes,
    );
  }

  /** Throws NoSuchKey or NoSuchVersion. */
  find(key: string, id: string | undefined): Version {
    if (id === undefined) {
      const current = this.current(key);
      if (current) return current;
      const removed = this.versions.get(key)?.at(-1)?.marker;
      throw removed
        ? new S3Refusal(404, "NoSuchKey", "The specified key does not exist.", { Key: key }, {
          "x-amz-delete-marker": "true",
        })
        : noSuchKey(key);
    }
    const version = this.versions.get(key)?.find((one) => one.id === id);
    if (!version) {
      throw new S3Refusal(404, "NoSuchVersion", "The specified version does not exist.", { Key: key });
    }
    if (version.marker) {
      throw new S3Refusal(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
      );
    }
    return version;
  }

  /** Adds a version, or replaces the only one; throws PreconditionFailed where `onlyIfAbsent` and it is not. */
  store(key: string, version: Omit<Version, "id" | "modified" | "marker">, onlyIfAbsent: boolean): Version {
    if (onlyIfAbsent && this.current(key)) throw preconditionFailed("If-None-Match");
    const made = { ...version, id: this.versioned ? newId() : "null", modified: new Date(), marker: false };
    this.versions.set(key, this.versioned ? [...this.versions.get(key) ?? [], made] : [made]);
    return made;
  }

  /** What a removal did, for its headers; throws AccessDenied on a locked version. */
  remove(key: string, id: string | undefined): { marker: boolean; id: string | undefined } {
    const versions = this.versions.get(key) ?? [];
    if (id === undefined && this.versioned) {
      const made: Version = {
        id: newId(),
        bytes: new Uint8Array(),
        etag: "",
        modified: new Date(),
        metadata: {},
        marker: true,
      };
      this.versions.set(key, [...versions, made]);
      return { marker: true, id: made.id };
    }
    const gone = versions.find((one) => one.id === (id ?? "null"));
    if (gone?.retention && gone.retention.until.getTime() > Date.now()) {
      throw accessDenied("Access Denied because object protected by object lock.");
    }
    const left = versions.filter((one) => one !== gone);
    if (left.length > 0) this.versions.set(key, left);
    else this.versions.delete(key);
    return { marker: gone?.marker ?? false, id };
  }
}

/** S3 orders keys by their UTF-8 bytes. */
export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

export function newId(): string {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}
