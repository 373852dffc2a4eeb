import { Buffer } from "node:buffer";
import { base64, concat } from "../../../src/base/bytes.ts";
import { cancellation, throwIfCancelled } from "../../../src/base/errors.ts";
import { sha256 } from "../../../src/base/hash.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { type Block, blocksOf, orCancelled } from "../../../src/destination/body.ts";
import { abortUpload } from "./lists.ts";
import {
  confirmed,
  digestOf,
  lockInputs,
  notKept,
  type Published,
  type Upload,
  withHash,
} from "./published.ts";
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } from "./sdk.ts";
import { type Service, strange } from "./service.ts";

/** Bytes that may be on their way at once. */
const IN_FLIGHT = 24 * 1024 * 1024;

/** A part that has arrived. */
interface Arrived {
  number: number;
  etag: string;
  sha256: Uint8Array;
}

/** An upload in parts, a few of which are on their way at once. */
export class Multipart {
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #arrived: Arrived[] = [];
  readonly #sending = new Set<Promise<void>>();

  constructor(readonly service: Service, readonly upload: Upload) {
    this.#signal = AbortSignal.any([upload.signal, this.#stop.signal]);
  }

  /** Sends all of the body in parts of `size` bytes and publishes it; after an error nothing is left but what `discard` finds. */
  async run(size: number): Promise<Published> {
    const { key, body, signal } = this.upload;
    const id = await this.#begin();
    try {
      const width = Math.max(1, Math.floor(IN_FLIGHT / size));
      let number = 1;
      for await (const block of blocksOf(key, body, size, this.#signal)) {
        this.#start(id, number++, block);
        await this.#untilFewerThan(width);
      }
      await this.#untilFewerThan(1);
      throwIfCancelled(this.#signal);
      // The look before all this may have been hours ago, and not every service heeds the condition.
      await this.upload.refuseIfPresent?.();
      return await this.#complete(id);
    } catch (error) {
      // What fails first ends the rest, and is what is told.
      const first = this.#stop.signal.aborted ? this.#stop.signal.reason : error;
      this.#stop.abort(first);
      await Promise.allSettled(this.#sending);
      await this.#giveUp(id);
      throw signal.aborted ? cancellation(signal) : first;
    }
  }

  async #begin(): Promise<string> {
    const { upload: { key, name, signal, checksums }, service } = this;
    const command = () =>
      new CreateMultipartUploadCommand({
        Bucket: service.parts.bucket,
        Key: name,
        ContentType: "application/octet-stream",
        ...(checksums === "sha256" ? { ChecksumAlgorithm: "SHA256" } : {}),
        ...lockInputs(this.upload),
      });
    const { UploadId } = await service.call(
      { what: key, signal },
      (client, options) => client.send(command(), options),
    );
    if (!UploadId) throw strange(quoted(key));
    return UploadId;
  }

  #start(id: string, number: number, { bytes, release }: Block): void {
    const sent = this.#send(id, number, bytes).then(release, (error) => this.#stop.abort(error));
    this.#sending.add(sent);
    sent.then(() => this.#sending.delete(sent));
  }

  async #untilFewerThan(count: number): Promise<void> {
    while (this.#sending.size >= count) await orCancelled(Promise.race(this.#sending), this.#signal);
  }

  async #send(UploadId: string, number: number, bytes: Uint8Array): Promise<void> {
    const { upload: { key, name }, service } = this;
    const digest = digestOf(bytes, this.upload);
    const command = () =>
      new UploadPartCommand({
        Bucket: service.parts.bucket,
        Key: name,
        UploadId,
        PartNumber: number,
        Body: bytes,
        ContentLength: bytes.length,
        ...digest.inputs,
      });
    // All that are on their way share the line.
    const sends = Math.max(bytes.length, IN_FLIGHT);
    const { ETag, ChecksumSHA256 } = await service.call(
      { what: key, signal: this.#signal, sends },
      (client, options) => client.send(withHash(command(), digest), options),
    );
    if (!ETag) throw strange(quoted(key));
    if (ChecksumSHA256 !== undefined && ChecksumSHA256 !== base64(digest.sha256)) throw notKept(key);
    this.#arrived.push({ number, etag: ETag, sha256: digest.sha256 });
  }

  async #complete(UploadId: string): Promise<Published> {
    const { upload, service, upload: { key, name, signal, body, checksums } } = this;
    const arrived = this.#arrived.toSorted((a, b) => a.number - b.number);
    const Parts = arrived.map(({ number, etag, sha256 }) => ({
      PartNumber: number,
      ETag: etag,
      ...(checksums === "sha256" ? { ChecksumSHA256: base64(sha256) } : {}),
    }));
    const command = () =>
      new CompleteMultipartUploadCommand({
        Bucket: service.parts.bucket,
        Key: name,
        UploadId,
        MultipartUpload: { Parts },
        ...(upload.conditional ? { IfNoneMatch: "*" } : {}),
      });
    const answer = await service.call(
      { what: key, signal },
      (client, options) => client.send(command(), options),
    );
    const ofParts = base64(sha256(concat(arrived.map(({ sha256 }) => sha256))));
    const ofWhole = Buffer.from(body.sha256, "hex").toString("base64");
    return await confirmed(service, upload, answer, [`${ofParts}-${arrived.length}`, ofParts, ofWhole]);
  }

  /** In the time that an abort leaves; what stays is for `discard`. */
  async #giveUp(id: string): Promise<void> {
    const { key, name, signal } = this.upload;
    const enough = AbortSignal.timeout(signal.aborted ? 1000 : 10_000);
    await abortUpload(this.service, { key, name, signal: enough }, id, signal.aborted ? 1 : 3).catch(
      () => {},
    );
  }
}
