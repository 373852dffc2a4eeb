import { AppError, toAppError } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import { type SecretReference, secretReference } from "../model/secret_reference.ts";
import { checkSecret } from "./secrets.ts";

/** What looking at the secrets of a part of the config has come to. */
export interface SecretsCheck {
  /** Why a run would fail for want of one, each with its place. */
  problems: AppError[];
  /** What could not be looked at here, in words for people. */
  unknown: string[];
}

/** Looks at every reference to a secret below `part`, which has passed its schema; reads and runs nothing. */
export async function checkSecrets(world: World, part: unknown, place: string): Promise<SecretsCheck> {
  const check: SecretsCheck = { problems: [], unknown: [] };
  for (const found of referencesIn(part, place)) {
    try {
      const unknown = await checkSecret(world, found.reference);
      if (unknown !== undefined) check.unknown.push(`${found.place}: ${unknown}`);
    } catch (error) {
      const { code, message, hint } = toAppError(error);
      check.problems.push(
        new AppError(code, `${found.place}: ${message}`, {
          cause: error,
          ...(hint === undefined ? {} : { hint }),
        }),
      );
    }
  }
  return check;
}

/**
 * Nothing else in a config has the form of one, since paths are absolute and addresses begin with http; but for the
 * options of a plugin of one's own, which may be any words.
 */
function* referencesIn(
  part: unknown,
  place: string,
): Generator<{ place: string; reference: SecretReference }> {
  const { success, data } = secretReference.safeParse(part);
  if (success) return yield { place, reference: data };
  if (typeof part !== "object" || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    if (key === "options") continue;
    yield* referencesIn(value, Array.isArray(part) ? `${place}[${key}]` : `${place}.${key}`);
  }
}
