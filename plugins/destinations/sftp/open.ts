import { AppError } from "../../../src/base/errors.ts";
import type { Secret } from "../../../src/base/secret.ts";
import { named } from "../../../src/destination/errors.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import type { SecretReference } from "../../../src/model/secret_reference.ts";
import { HostKeys } from "./hosts/host_keys.ts";
import { Place } from "./place.ts";
import type { SftpSettings } from "./settings.ts";
import { SftpDestination } from "./sftp_destination.ts";
import { Connection } from "./ssh/connection.ts";
import { parsePrivateKey } from "./ssh/private_key.ts";
import type { Credentials } from "./ssh/sign_in.ts";

/** Opens a folder of a server: looks everything up that is here. Nobody is asked before the first call. */
export async function openSftp(
  name: string,
  settings: SftpSettings,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<SftpDestination> {
  const secrets: Secret[] = [];
  return await named({ name, secrets }, "open the folder", signal, async () => {
    const { host, port, knownHosts, path } = settings, { world } = context;
    const secret = async (reference: SecretReference | undefined, what: string) => {
      if (reference === undefined) return undefined;
      const found = await context.secret(reference, signal);
      if (found.reveal() === "") throw new AppError("misconfigured", `the ${what} is empty`);
      secrets.push(found);
      return found;
    };
    const key = await secret(settings.privateKey, "private key");
    const passphrase = await secret(settings.passphrase, "passphrase");
    const credentials: Credentials = {
      username: settings.username,
      key: key && parsePrivateKey(key, passphrase),
      agent: agentOf(settings, context),
      password: await secret(settings.password, "password"),
    };
    const hosts = await HostKeys.open(knownHosts, host, port, world.files);
    const connection = new Connection({ world, host, port, credentials, hosts });
    return new SftpDestination({ name, place: new Place(path), connection, secrets, context });
  });
}

/** The path of the agent's socket; undefined where none is wanted. */
function agentOf({ agent }: SftpSettings, { world }: DestinationContext): string | undefined {
  if (agent === undefined) return undefined;
  if (world.platform.os === "windows") {
    throw new AppError("misconfigured", "an agent cannot be used on Windows", {
      hint: 'give a "privateKey"',
    });
  }
  const path = agent === true ? world.env("SSH_AUTH_SOCK") : agent;
  if (path !== undefined) return path;
  throw new AppError("misconfigured", "there is no agent: SSH_AUTH_SOCK is not set", {
    hint: 'start ssh-agent, give its socket as "agent", or give a "privateKey"',
  });
}
