import { AppError } from "../../../src/base/errors.ts";
import type { Secret } from "../../../src/base/secret.ts";
import type { Clock } from "../../../src/base/world.ts";
import type { HttpDoor } from "../../../src/destination/http/door.ts";
import { DoorHandler } from "./handler.ts";
import { S3Client, type S3ClientConfig } from "./sdk.ts";
import type { S3Settings } from "./settings.ts";

/** Access keys that the config names. */
export interface Keys {
  accessKeyId: string;
  secretAccessKey: Secret;
  sessionToken: Secret | undefined;
}

/**
 * Amazon's library with every decision made for it: requests go through the door and are tried once, by our clock. The
 * environment and `~/.aws` are asked for access keys and the region where the config has none, and for nothing else:
 * an address in there must not lead a backup elsewhere.
 */
export function makeClient(
  settings: S3Settings,
  keys: Keys | undefined,
  door: HttpDoor,
  clock: Clock,
): S3Client {
  const { endpoint, profile } = settings;
  const region = settings.region ?? (endpoint === undefined ? undefined : "us-east-1");
  const client = new S3Client({
    requestHandler: new DoorHandler(door) as unknown as NonNullable<S3ClientConfig["requestHandler"]>,
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? { ignoreConfiguredEndpointUrls: true } : { endpoint }),
    ...(keys === undefined ? {} : { credentials: revealed(keys) }),
    forcePathStyle: settings.pathStyle ?? endpoint !== undefined,
    followRegionRedirects: false,
    // Only the checksums that we send: many services refuse the ones that the library would add.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    // Else it speaks to the terminal by itself.
    logger: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    authSchemePreference: ["sigv4"],
    disableS3ExpressSessionAuth: false,
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    sigv4aSigningRegionSet: () => Promise.resolve(undefined),
    userAgentAppId: () => Promise.resolve(undefined),
  });
  // The library would learn the right time from refusals: a wrong clock must be told, not worked around.
  Object.defineProperty(client.config, "systemClockOffset", {
    get: () => clock.now().getTime() - Date.now(),
    set: () => {},
  });
  return client;
}

/** The region that requests are signed for; throws `misconfigured` where nobody names one. */
export async function regionOf(client: S3Client): Promise<string> {
  try {
    return await client.config.region();
  } catch (cause) {
    throw new AppError("misconfigured", "the bucket's region is not known", {
      cause,
      hint: 'set "region", such as eu-central-1',
    });
  }
}

function quiet(): void {}

function revealed({ accessKeyId, secretAccessKey, sessionToken }: Keys) {
  return {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
  };
}
