/** The servers that both sides talk to, with what each side must know of them. */
import { mkdir } from "node:fs/promises";
import { Azurite } from "../../servers/azurite/server.ts";
import { GcsServer } from "../../servers/gcs/server.ts";
import { OpenSsh } from "../../servers/openssh/server.ts";
import { S3Server } from "../../servers/s3/server.ts";
import { Bucket } from "../../servers/s3/store.ts";
import { Apache, PASSWORD, USER } from "../../servers/webdav/apache.ts";
import { obscured, type Remote } from "./rclone.ts";

/** How the two sides reach a server. */
export interface Ways {
  /** The destination's part of the config. */
  ours: Record<string, unknown>;
  theirs: Remote;
}

/** A place for secrets and files of this server, and what ends with it. */
export interface Scratch {
  folder: string;
  /** Writes a secret; returns the reference to it. */
  secret(name: string, text: string): string;
  stack: AsyncDisposableStack;
}

const MEMBER = { accessKeyId: "AKIAMADEUPMADEUPMADE", secretAccessKey: "made-up-secret/0123456789+abcdef" };

/** By the `type:` of the destination. */
export const SERVERS: Record<string, (scratch: Scratch) => Promise<Ways>> = {
  async local({ folder }) {
    await mkdir(`${folder}/ours`);
    await mkdir(`${folder}/theirs`);
    return {
      ours: { path: `${folder}/ours` },
      theirs: { env: { type: "local" }, folder: `x:${folder}/theirs`, readsBack: true },
    };
  },

  async "azure-blob"({ secret, stack }) {
    const azurite = stack.use(await Azurite.start());
    const container = await azurite.container(), sas = azurite.sas(container);
    return {
      ours: { account: "acmebackups", container, endpoint: azurite.endpoint(), sas: secret("sas", sas) },
      theirs: {
        env: { type: "azureblob", sas_url: `${azurite.endpoint()}/${container}?${sas}` },
        folder: `x:${container}`,
      },
    };
  },

  async gcs({ secret, stack }) {
    const server = stack.use(await GcsServer.start());
    const address = `http://127.0.0.1:${server.port}`;
    const key = JSON.stringify(server.identity.account(address));
    return {
      ours: { bucket: "acme", endpoint: address, keyFile: secret("gcs.json", key) },
      theirs: {
        env: {
          type: "google cloud storage",
          endpoint: `${address}/storage/v1/`,
          service_account_credentials: key,
          bucket_policy_only: "true",
        },
        folder: "x:acme",
      },
    };
  },

  async webdav({ secret, stack }) {
    const apache = stack.use(await Apache.start({ auth: "basic" }));
    return {
      ours: { url: apache.url(), username: USER, password: secret("password", PASSWORD) },
      theirs: {
        env: {
          type: "webdav",
          url: apache.url(),
          vendor: "other",
          user: USER,
          pass: await obscured(PASSWORD),
        },
        folder: "x:",
      },
    };
  },

  async sftp({ stack, secret, folder }) {
    const server = stack.use(await OpenSsh.start());
    await mkdir(server.at("ours"));
    const known = server.knownHost();
    secret("known_hosts", `${known}\n`);
    return {
      ours: {
        host: "127.0.0.1",
        port: server.port,
        username: server.username,
        path: server.at("ours"),
        privateKey: secret("key", server.key()),
        knownHosts: known,
      },
      theirs: {
        env: {
          type: "sftp",
          host: "127.0.0.1",
          port: String(server.port),
          user: server.username,
          key_file: `${folder}/key`,
          known_hosts_file: `${folder}/known_hosts`,
          shell_type: "none", // else it starts shells to learn which they are, and an md5sum
        },
        folder: `x:${server.at("theirs")}`,
      },
    };
  },

  async s3({ secret, stack }) {
    const server = stack.use(await S3Server.start({ members: [MEMBER], buckets: [new Bucket("acme")] }));
    return {
      ours: {
        bucket: "acme",
        endpoint: server.url,
        accessKeyId: MEMBER.accessKeyId,
        secretAccessKey: secret("s3", MEMBER.secretAccessKey),
      },
      theirs: {
        env: {
          type: "s3",
          provider: "Minio",
          endpoint: server.url,
          region: "us-east-1",
          access_key_id: MEMBER.accessKeyId,
          secret_access_key: MEMBER.secretAccessKey,
        },
        folder: "x:acme",
      },
    };
  },
};
