import type http from "node:http";
import { Buffer } from "node:buffer";
import { concat } from "../../../src/base/bytes.ts";
import { Refusal, say, sayJson } from "./answers.ts";
import { Sums } from "./checksum.ts";
import type { Bucket, ObjectMetadata, StoredObject } from "./store.ts";

/** What a resumable upload keeps of a request that was cut off, and what its parts must be multiples of. */
export const UNIT = 256 * 1024;

/** Where a test may step in. */
export interface UploadFaults {
  /** What becomes of bytes on their way. */
  received?(bytes: Uint8Array): Uint8Array;
  /** How many bytes of those that have come the session keeps, and says so. */
  keep?(came: number): number;
  /** What is really stored of what was confirmed. */
  stored?(bytes: Uint8Array): Uint8Array;
  /** Shown in the place of the object when an upload is complete. */
  shown?(object: Record<string, unknown>): unknown;
  /** The address of a session, in the place of the true one. */
  location?(address: string): string;
}

interface Session {
  bucket: Bucket;
  name: string;
  metadata: ObjectMetadata;
  query: URLSearchParams;
  parts: Uint8Array[];
  sums: Sums;
  size: number;
  done?: StoredObject;
}

/** Resumable uploads, as Google does them. */
export class Uploads {
  readonly sessions = new Map<string, Session>();
  readonly cancelled = new Set<string>();

  constructor(readonly faults: UploadFaults) {}

  begin(
    answer: http.ServerResponse,
    address: string,
    session: Pick<Session, "bucket" | "name" | "metadata" | "query">,
  ): void {
    session.bucket.judge(session.query, session.bucket.objects.get(session.name));
    session.bucket.checkRetention(session.metadata);
    // As long and as odd as the real ones: whoever has it may upload.
    const id = `AEnB2U${Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString("base64url")}`;
    this.sessions.set(id, { ...session, parts: [], sums: new Sums(), size: 0 });
    const location = `${address}&upload_id=${id}`;
    say(answer, 200, "", {
      location: this.faults.location?.(location) ?? location,
      "x-guploader-uploadid": id,
    });
  }

  /** Anything that is sent to the address of a session. */
  async go(request: http.IncomingMessage, answer: http.ServerResponse, id: string): Promise<void> {
    const session = this.sessions.get(id);
    if (this.cancelled.has(id)) throw new Refusal(499, "clientClosedRequest", "Upload was cancelled.");
    if (!session) throw new Refusal(410, "gone", `Upload session ${id} is gone.`);
    if (request.method === "DELETE") {
      if (session.done) throw new Refusal(400, "invalid", "The upload is complete.");
      this.sessions.delete(id);
      this.cancelled.add(id);
      return say(answer, 499);
    }
    const [, star, from, to, total] =
      /^bytes (?:(\*)|(\d+)-(\d+))\/(\*|\d+)$/.exec(request.headers["content-range"] ?? "") ?? [];
    if (total === undefined) throw new Refusal(400, "invalid", "Failed to parse Content-Range header.");
    if (!session.done && star === undefined) {
      const whole = await this.#receive(request, session, Number(from));
      if (!whole) return; // nobody is there to be told
      const length = Number(to) - Number(from) + 1;
      const last = total !== "*" && Number(to) + 1 === Number(total);
      if (!last && length % UNIT !== 0) {
        throw new Refusal(400, "invalid", `The part of ${length} bytes is no multiple of 262144 bytes.`);
      }
    } else request.resume();
    if (total !== "*" && session.size === Number(total)) this.#complete(session, request);
    else if (total !== "*" && session.size > Number(total)) {
      throw new Refusal(400, "invalid", "More bytes than the upload said it has.");
    }
    if (session.done) return this.#sayDone(answer, session, session.done);
    const range: Record<string, string> = session.size > 0 ? { range: `bytes=0-${session.size - 1}` } : {};
    const hidden = request.headers["x-guploader-no-308"] === "yes";
    say(answer, hidden ? 200 : 308, "", {
      ...range,
      ...(hidden ? { "x-http-status-code-override": "308" } : {}),
    });
  }

  #sayDone(answer: http.ServerResponse, { bucket, name, query }: Session, done: StoredObject): void {
    const object = bucket.show(name, done);
    sayJson(answer, this.faults.shown?.(object) ?? object, { fields: query.get("fields") });
  }

  /** Takes what comes; false when the connection ended before all had come. */
  async #receive(request: http.IncomingMessage, session: Session, from: number): Promise<boolean> {
    if (from > session.size) {
      throw new Refusal(503, "backendError", `The session has ${session.size} bytes, not ${from}.`);
    }
    const before = session.size, parts: Uint8Array[] = [];
    let whole = true;
    try {
      for await (const part of request) parts.push(part);
      whole = request.complete;
    } catch {
      whole = false;
    }
    if (whole && from === session.size && !this.faults.received && !this.faults.keep) {
      add(session, parts);
      return true;
    }
    const sent = concat(parts), came = (this.faults.received?.(sent) ?? sent).subarray(before - from);
    // Two requests at once, as after a retry: what the other one has brought is here already.
    const fresh = came.subarray(Math.max(0, session.size - before));
    const asked = this.faults.keep?.(fresh.length) ?? fresh.length;
    const kept = whole && asked === fresh.length ? asked : asked - ((session.size + asked) % UNIT);
    if (kept > 0) add(session, [fresh.slice(0, kept)]);
    return whole;
  }

  #complete(session: Session, request: http.IncomingMessage): void {
    if (session.done) return;
    const { bucket, name, metadata, query } = session;
    const said = String(request.headers["x-goog-hash"] ?? "");
    const [, crc32c] = /\bcrc32c=([A-Za-z0-9+/=]+)/.exec(said) ?? [];
    const [, md5Hash] = /\bmd5=([A-Za-z0-9+/=]+)/.exec(said) ?? [];
    const hashes = { ...(crc32c ? { crc32c } : {}), ...(md5Hash ? { md5Hash } : {}) };
    const { parts, sums } = session, kept = this.faults.stored?.(concat(parts));
    session.done = bucket.store(name, { parts, sums, kept }, { ...metadata, ...hashes }, query);
    session.parts = [];
  }
}

function add(session: Session, parts: readonly Uint8Array[]): void {
  for (const part of parts) {
    session.parts.push(part);
    session.sums.update(part);
    session.size += part.length;
  }
}
