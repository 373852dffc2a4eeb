import { noObject, Refusal, unmet } from "./answers.ts";
import { concat } from "../../../src/base/bytes.ts";
import { Sums } from "./checksum.ts";

/** What an upload may say of its object, and what Google says of it. */
export interface ObjectMetadata {
  name?: string;
  contentType?: string;
  metadata?: Record<string, string>;
  crc32c?: string;
  md5Hash?: string;
  temporaryHold?: boolean;
  eventBasedHold?: boolean;
  retention?: { mode: "Locked" | "Unlocked"; retainUntilTime: string };
}

/** An object, put together when somebody wants its bytes. */
export class StoredObject {
  metageneration = 1;
  readonly created = new Date().toISOString();
  readonly size: number;
  readonly crc32c: string;
  readonly md5Hash: string;
  #parts: readonly Uint8Array[];

  constructor(
    parts: readonly Uint8Array[],
    sums: Sums,
    readonly generation: string,
    readonly metadata: ObjectMetadata,
  ) {
    this.#parts = parts;
    this.size = parts.reduce((sum, { length }) => sum + length, 0);
    this.crc32c = sums.crc32c;
    this.md5Hash = sums.md5Hash;
  }

  get bytes(): Uint8Array {
    if (this.#parts.length !== 1) this.#parts = [concat(this.#parts)];
    return this.#parts[0]!;
  }
}

/** What came of an object. */
export interface Came {
  parts: readonly Uint8Array[];
  sums: Sums;
  /** What is really stored, where that is something else. */
  kept?: Uint8Array | undefined;
}

/** What came in one piece. */
export function whole(bytes: Uint8Array): Came {
  return { parts: [bytes], sums: Sums.of(bytes) };
}

/** A bucket: names, each with one object, and the rules for them. */
export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  /** Whether single objects may be locked. */
  objectRetention = false;
  static #generation = Date.now() * 1000;

  constructor(readonly name: string) {}

  /** The object, of this generation where one is asked for. */
  find(name: string, generation: string | null): StoredObject {
    const found = this.objects.get(name);
    if (!found || (generation !== null && generation !== found.generation)) throw noObject(this.name, name);
    return found;
  }

  /** Throws unless the conditions of a request hold. */
  judge(query: URLSearchParams, found: StoredObject | undefined): void {
    const generation = found?.generation ?? "0";
    const match = query.get("ifGenerationMatch"), no = query.get("ifGenerationNotMatch");
    const meta = query.get("ifMetagenerationMatch");
    if (match !== null && match !== generation) throw unmet();
    if (no !== null && no === generation) throw unmet();
    if (meta !== null && meta !== String(found?.metageneration)) throw unmet();
  }

  /** Publishes what came. */
  store(
    name: string,
    { parts, sums, kept }: Came,
    metadata: ObjectMetadata,
    query: URLSearchParams,
  ): StoredObject {
    const found = this.objects.get(name);
    this.judge(query, found);
    if (found) refuseLocked(this.name, name, found);
    this.checkRetention(metadata);
    checkHash("CRC32C", metadata.crc32c, sums.crc32c);
    checkHash("MD5 hash", metadata.md5Hash, sums.md5Hash);
    const generation = String(++Bucket.#generation);
    const object = kept
      ? new StoredObject([kept], Sums.of(kept), generation, metadata)
      : new StoredObject(parts, sums, generation, metadata);
    this.objects.set(name, object);
    return object;
  }

  /** Throws where an object cannot be locked as asked for. */
  checkRetention({ retention }: ObjectMetadata): void {
    if (!retention) return;
    if (!this.objectRetention) {
      throw new Refusal(400, "invalid", "Object Retention is not enabled for this bucket.");
    }
    if (!(Date.parse(retention.retainUntilTime) > Date.now())) {
      throw new Refusal(400, "invalid", "The retention expiration time must be in the future.");
    }
  }

  remove(name: string, query: URLSearchParams): void {
    const found = this.find(name, query.get("generation"));
    this.judge(query, found);
    refuseLocked(this.name, name, found);
    this.objects.delete(name);
  }

  /** The object as the JSON API shows it. */
  show(name: string, object: StoredObject): Record<string, unknown> {
    const { size, crc32c, md5Hash, generation, metageneration, created, metadata } = object;
    return {
      kind: "storage#object",
      id: `${this.name}/${name}/${generation}`,
      name,
      bucket: this.name,
      generation,
      metageneration: String(metageneration),
      contentType: "application/octet-stream",
      ...metadata,
      storageClass: "STANDARD",
      size: String(size),
      md5Hash,
      crc32c,
      etag: generation,
      timeCreated: created,
      updated: created,
    };
  }
}

function checkHash(what: string, given: string | undefined, found: string): void {
  if (given === undefined || given === found) return;
  throw new Refusal(
    400,
    "invalid",
    `Provided ${what} "${given}" doesn't match calculated ${what} "${found}".`,
  );
}

function refuseLocked(bucket: string, name: string, { metadata }: StoredObject): void {
  if (metadata.temporaryHold || metadata.eventBasedHold) {
    throw new Refusal(
      403,
      "objectUnderActiveHold",
      `Object '${bucket}/${name}' is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed.`,
    );
  }
  const until = metadata.retention?.retainUntilTime;
  if (until === undefined || Date.parse(until) <= Date.now()) return;
  throw new Refusal(
    403,
    "retentionPolicyNotMet",
    `Object '${bucket}/${name}' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${until}`,
  );
}
