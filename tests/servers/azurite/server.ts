/** Azurite as a server of a test, and what a test does to it behind the destination's back. */
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Child, startChild } from "../child.ts";
import { azurite } from "./install.ts";

/** What a shared access signature of a container allows, and when. */
export interface SasOptions {
  permissions?: string;
  start?: Date;
  expires?: Date;
}

export interface AzuriteOptions {
  /** Paths of a certificate and its key; tokens are taken then, as they are only over TLS. */
  tls?: { cert: string; key: string };
}

export const ACCOUNT = "acmebackups";

export class Azurite implements AsyncDisposable {
  /** The account's key: made up, and not the one that everybody knows. */
  readonly key = Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString("base64");
  readonly folder = Deno.makeTempDirSync({ prefix: "vaultferry-azurite-" });
  readonly #tls: boolean;
  #child!: Child;
  #containers = 0;

  private constructor(tls: boolean) {
    this.#tls = tls;
  }

  static async start({ tls }: AzuriteOptions = {}): Promise<Azurite> {
    const server = new Azurite(tls !== undefined), main = await azurite();
    try {
      server.#child = await startChild({
        program: "node",
        args: (port) => [
          main,
          ...["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", server.folder],
          ...["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--disableProductStyleUrl"],
          ...(tls ? ["--cert", tls.cert, "--key", tls.key, "--oauth", "basic"] : []),
        ],
        env: { AZURITE_ACCOUNTS: `${ACCOUNT}:${server.key}` },
        patience: 180_000,
      });
    } catch (error) {
      await Deno.remove(server.folder, { recursive: true });
      throw error;
    }
    return server;
  }

  get port(): number {
    return this.#child.port;
  }

  /** The account's address, or that of it behind a proxy. */
  endpoint(port = this.port, host = "127.0.0.1"): string {
    return `${this.#tls ? "https" : "http"}://${host}:${port}/${ACCOUNT}`;
  }

  /** A new container. */
  async container(): Promise<string> {
    const name = `vaults-${++this.#containers}`;
    await this.ask("PUT", `/${name}?restype=container`);
    return name;
  }

  /** A signature for one container. */
  sas(container: string, { permissions = "racwdl", start, expires }: SasOptions = {}): string {
    return generateBlobSASQueryParameters({
      containerName: container,
      permissions: ContainerSASPermissions.parse(permissions),
      ...(start === undefined ? {} : { startsOn: start }),
      expiresOn: expires ?? new Date(Date.now() + 3_600_000),
    }, this.#credential).toString();
  }

  /** Asks for something with every right; fails where that is refused. */
  async ask(
    method: string,
    path: string,
    init: { headers?: HeadersInit; body?: BodyInit } = {},
  ): Promise<Response> {
    const answer = await this.tryTo(method, path, init);
    if (!answer.ok) assert.fail(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async tryTo(
    method: string,
    path: string,
    { headers, body }: { headers?: HeadersInit; body?: BodyInit } = {},
  ): Promise<Response> {
    assert.ok(!this.#tls, "without a client that trusts its certificate");
    const all = generateAccountSASQueryParameters({
      permissions: AccountSASPermissions.parse("rwdlacuptfx"),
      resourceTypes: AccountSASResourceTypes.parse("sco").toString(),
      services: "b",
      expiresOn: new Date(Date.now() + 3_600_000),
    }, this.#credential);
    const url = `${this.endpoint()}${path}${path.includes("?") ? "&" : "?"}${all}`;
    const answer = await fetch(url, { method, ...(headers ? { headers } : {}), ...(body ? { body } : {}) });
    return new Response(
      await answer.arrayBuffer().then((bytes) => bytes.byteLength > 0 ? bytes : null),
      answer,
    );
  }

  /** Stores a blob in one request. */
  async store(
    container: string,
    name: string,
    bytes: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<void> {
    await this.ask("PUT", `/${container}/${encodeURIComponent(name)}`, {
      headers: { "x-ms-blob-type": "BlockBlob", ...headers },
      body: new Uint8Array(bytes),
    });
  }

  /** What is stored under a name; undefined where nothing is. */
  async stored(container: string, name: string): Promise<Uint8Array | undefined> {
    const answer = await this.tryTo("GET", `/${container}/${encodeURIComponent(name)}`);
    if (answer.status === 404) return undefined;
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** All names in a container, those of uploads that were not published too where they are asked for. */
  async names(container: string, uncommitted = false): Promise<string[]> {
    const include = uncommitted ? "&include=uncommittedblobs" : "";
    const answer = await this.ask("GET", `/${container}?restype=container&comp=list${include}`);
    return [...(await answer.text()).matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name!);
  }

  async [Symbol.asyncDispose]() {
    await this.#child[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  get #credential(): StorageSharedKeyCredential {
    return new StorageSharedKeyCredential(ACCOUNT, this.key);
  }
}
