import { milliseconds } from "../../../src/base/duration.ts";
import type { Secret } from "../../../src/base/secret.ts";
import { named } from "../../../src/destination/errors.ts";
import { HttpDoor } from "../../../src/destination/http/door.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import { AzureDestination } from "./azure_destination.ts";
import { setLogLevel } from "./sdk.ts";
import { Service } from "./service.ts";
import type { AzureSettings } from "./settings.ts";
import { signInOf } from "./auth/sign_in.ts";

/** Names that a list gives at once: as many as Azure gives. */
const PAGE = 5000;

/** Opens a container; refused without credentials, and before anything was asked of the service. */
export async function openAzure(
  name: string,
  settings: AzureSettings,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<AzureDestination> {
  const secrets: Secret[] = [];
  // Else the library speaks to the terminal by itself where the environment says so.
  setLogLevel();
  return await named({ name, secrets }, "open the container", signal, async () => {
    const { clock, random } = context.world, { container, timeout } = settings;
    const door = await HttpDoor.open(settings, context, signal);
    secrets.push(...door.secrets);
    try {
      const signIn = await signInOf(settings, door, context, secrets, signal);
      const silence = timeout === undefined ? undefined : milliseconds(timeout);
      const service = new Service({ door, signIn, clock, random, container, page: PAGE, silence, secrets });
      const close = () => {
        signIn.close();
        door[Symbol.dispose]();
      };
      return new AzureDestination({ name, service, settings, secrets, close });
    } catch (error) {
      door[Symbol.dispose]();
      throw error;
    }
  });
}
