import { isAppError } from "../../../src/base/errors.ts";
import type { Account } from "../../../src/model/vault.ts";
import { type JsonObject, objectOf, objectsIn, textOf } from "./op/json.ts";
import type { Op } from "./op/program.ts";

/**
 * The account, as far as `op` tells it. What it does not tell is not worth a backup; but a refused sign-in ends here,
 * because this is the first call of a run.
 */
export async function accountOf(op: Op, signal: AbortSignal): Promise<Account | undefined> {
  // `op whoami` fails where the 1Password app signs in, even though everything else works.
  return op.counted
    ? tidy(lowerCased(await orNothing(() => op.json(["whoami"], signal))))
    : await personalAccount(op, signal);
}

async function personalAccount(op: Op, signal: AbortSignal): Promise<Account | undefined> {
  const account = objectOf(await orNothing(() => op.json(["account", "get"], signal)));
  const id = textOf(account.id);
  const { account: wanted } = op.options;
  // What op knows of sign-ins on this computer; several people may use one account.
  const people = objectsIn(await orNothing(() => op.json(["account", "list"], signal)))
    .filter((one) => id === "" || textOf(one.account_uuid) === id)
    .filter((one) => wanted === undefined || Object.values(one).some((value) => textOf(value) === wanted));
  return tidy({ ...(people.length === 1 ? people[0] : {}), ...account });
}

function tidy(json: JsonObject): Account | undefined {
  const id = textOf(json.id) || textOf(json.account_uuid);
  const name = textOf(json.name);
  const url = textOf(json.url);
  const signedInAs = textOf(json.email);
  const account: Account = {
    ...(id === "" ? {} : { id }),
    ...(name === "" ? {} : { name }),
    ...(url === "" ? {} : { url }),
    ...(signedInAs === "" ? {} : { signedInAs }),
  };
  return Object.keys(account).length > 0 ? account : undefined;
}

/** `op` 2.20 and 2.21 write `URL` and `AccountUUID`, others `url` and `account_uuid`. */
function lowerCased(json: unknown): JsonObject {
  const plain = Object.entries(objectOf(json)).map((
    [key, value],
  ) => [key.toLowerCase().replace(/_/g, ""), value]);
  const { accountuuid, ...rest } = Object.fromEntries(plain) as JsonObject;
  return { account_uuid: accountuuid, ...rest };
}

async function orNothing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isAppError(error, "unknown", "not-found")) return undefined;
    throw error;
  }
}
