import { homedir } from "node:os";
import process from "node:process";
import { milliseconds } from "../../../src/base/duration.ts";
import { AppError } from "../../../src/base/errors.ts";
import { Secret } from "../../../src/base/secret.ts";
import { named } from "../../../src/destination/errors.ts";
import { HttpDoor } from "../../../src/destination/http/door.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import { type Keys, makeClient, regionOf } from "./client.ts";
import { Credentials } from "./credentials.ts";
import { S3Destination } from "./s3_destination.ts";
import { Service } from "./service.ts";
import type { S3Settings } from "./settings.ts";

/** Opens a bucket; refused without credentials, before anything is asked of the service. */
export async function openS3(
  name: string,
  settings: S3Settings,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<S3Destination> {
  const secrets: Secret[] = [];
  return await named({ name, secrets }, "open the bucket", signal, async () => {
    ensureHome();
    const { clock } = context.world, { bucket, profile, timeout } = settings;
    const keys = await keysOf(settings, context, signal);
    secrets.push(...[keys?.secretAccessKey, keys?.sessionToken].filter((one) => one !== undefined));
    const door = await HttpDoor.open(settings, context, signal);
    secrets.push(...door.secrets);
    const client = makeClient(settings, keys, door, clock);
    const close = () => {
      client.destroy();
      door[Symbol.dispose]();
    };
    try {
      const region = await regionOf(client);
      const provider = () => client.config.credentials();
      const credentials = new Credentials({ provider, profile, secrets, clock });
      await credentials.ready(signal);
      const silence = timeout === undefined ? undefined : milliseconds(timeout);
      const service = new Service({ client, credentials, clock, bucket, region, silence, secrets });
      return new S3Destination({ name, service, close, settings, secrets });
    } catch (error) {
      close();
      throw error;
    }
  });
}

/**
 * The library looks for files of its own in the home, and fails where there is none: for a user whom no /etc/passwd
 * knows, as in some containers. It gets the name that Debian gives to no home.
 */
function ensureHome(): void {
  const { env } = process;
  if (env["HOME"] || env["USERPROFILE"] || env["HOMEPATH"] || homedir()) return;
  env["HOME"] = "/nonexistent";
}

/** The access keys that the config names; undefined where they are to be found elsewhere. */
async function keysOf(
  { accessKeyId, secretAccessKey, sessionToken }: S3Settings,
  { secret }: DestinationContext,
  signal: AbortSignal,
): Promise<Keys | undefined> {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const keys = {
    accessKeyId,
    secretAccessKey: await secret(secretAccessKey, signal),
    sessionToken: sessionToken === undefined ? undefined : await secret(sessionToken, signal),
  };
  if (keys.secretAccessKey.reveal() === "") {
    throw new AppError("misconfigured", "the secretAccessKey is empty");
  }
  return keys;
}
