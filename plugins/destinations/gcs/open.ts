import { milliseconds } from "../../../src/base/duration.ts";
import { Secret } from "../../../src/base/secret.ts";
import { named } from "../../../src/destination/errors.ts";
import { HttpDoor } from "../../../src/destination/http/door.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import { Api } from "./api.ts";
import { clientOf, SECRET_FIELDS } from "./auth/clients.ts";
import { findCredentials, type Found } from "./auth/credentials.ts";
import { GcsDestination } from "./gcs_destination.ts";
import { MachineAccount } from "./auth/machine.ts";
import type { GcsSettings } from "./settings.ts";
import { Tokens } from "./auth/tokens.ts";
import { type Surroundings, TokenTransport } from "./auth/transport.ts";

/** Opens a bucket; refused without credentials, and before anything was asked of the service. */
export async function openGcs(
  name: string,
  settings: GcsSettings,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<GcsDestination> {
  const secrets: Secret[] = [];
  return await named({ name, secrets }, "open the bucket", signal, async () => {
    const { world } = context;
    const found = await findCredentials(settings.keyFile, context, signal);
    if (found) secrets.push(...secretsOf(found));
    const door = await HttpDoor.open(settings, context, signal);
    secrets.push(...door.secrets);
    const over = new AbortController();
    const close = () => {
      over.abort();
      door[Symbol.dispose]();
    };
    try {
      const around: Surroundings = { door, clock: world.clock, signal: over.signal, secrets };
      const tokens = found
        ? new Tokens(() => clientOf(found, new TokenTransport(around)), secrets)
        : await machineTokens(context, around, signal);
      const api = new Api({
        ...{ door, tokens, clock: world.clock, secrets },
        endpoint: settings.endpoint.replace(/\/+$/, ""),
        bucket: settings.bucket,
        silence: settings.timeout === undefined ? undefined : milliseconds(settings.timeout),
      });
      const { access, prefix } = settings;
      return new GcsDestination({ name, api, access, prefix, close });
    } catch (error) {
      close();
      throw error;
    }
  });
}

/** The account of this machine: that it has one is known only when it has given a token. */
async function machineTokens(
  { world }: DestinationContext,
  around: Surroundings,
  signal: AbortSignal,
): Promise<Tokens> {
  const first = new MachineAccount(world, around);
  await first.begin(signal);
  return new Tokens(() => new MachineAccount(world, around), around.secrets, first);
}

function secretsOf({ file }: Found): Secret[] {
  const source = (file.source_credentials ?? {}) as Record<string, unknown>;
  return SECRET_FIELDS.flatMap((field) =>
    [file[field], source[field]].filter((value) => typeof value === "string" && value !== "")
      .map((value) => new Secret(value as string))
  );
}
