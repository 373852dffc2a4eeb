import { AppError } from "../../../src/base/errors.ts";
import { Secret } from "../../../src/base/secret.ts";
import { milliseconds } from "../../../src/base/duration.ts";
import { named } from "../../../src/destination/errors.ts";
import { HttpDoor } from "../../../src/destination/http/door.ts";
import { isPrivateWay } from "../../../src/destination/http/settings.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import { Addresses } from "./addresses.ts";
import { Dav } from "./dav.ts";
import { fixedLogin, type Login } from "./login/contract.ts";
import { basicOf, PasswordLogin } from "./login/password_login.ts";
import type { WebdavSettings } from "./settings.ts";
import { WebdavDestination } from "./webdav_destination.ts";

/** Opens a folder; nothing is asked of the server yet. */
export async function openWebdav(
  name: string,
  settings: WebdavSettings,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<WebdavDestination> {
  const secrets: Secret[] = [];
  return await named({ name, secrets }, "open the folder", signal, async () => {
    const { world, warn } = context;
    const login = await loginOf(settings, context, secrets, signal);
    const door = await HttpDoor.open(settings, context, signal);
    secrets.push(...door.secrets);
    const addresses = new Addresses(settings.url), { base } = addresses;
    if (!isPrivateWay(base)) {
      warn(
        `destination "${name}": whoever is on the way to "${base.host}" can read how we sign in, and remove archives: the address does not begin with https://`,
      );
    }
    const dav = new Dav({
      ...{ door, login, clock: world.clock, addresses, secrets },
      random: (length) => world.random(length),
      silence: settings.timeout === undefined ? undefined : milliseconds(settings.timeout),
    });
    return new WebdavDestination(name, dav, () => door[Symbol.dispose]());
  });
}

async function loginOf(
  { auth, username, password, token }: WebdavSettings,
  context: DestinationContext,
  secrets: Secret[],
  signal: AbortSignal,
): Promise<Login> {
  if (token !== undefined) {
    const bearer = await context.secret(token, signal);
    secrets.push(bearer);
    if (!/^[\x21-\x7e]+$/.test(bearer.reveal())) {
      throw new AppError("misconfigured", "the token holds characters that no token can hold");
    }
    return fixedLogin(`Bearer ${bearer.reveal()}`);
  }
  if (username === undefined || password === undefined) return fixedLogin(undefined);
  const secret = await context.secret(password, signal);
  const user = {
    username,
    password: secret.reveal(),
    random: (length: number) => context.world.random(length),
  };
  const basic = basicOf(user);
  secrets.push(secret, new Secret(basic.slice("Basic ".length)));
  return auth === "basic"
    ? fixedLogin(basic)
    : new PasswordLogin(user, auth === "digest" ? "digest" : "auto");
}
