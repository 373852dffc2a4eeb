import { isAppError } from "../../../src/base/errors.ts";
import type { Allowance } from "../../../src/source/contract.ts";
import { countOf, type JsonObject, objectsIn } from "./op/json.ts";
import type { Op } from "./op/program.ts";

/** What is left of a service account's quota; the call is free. Undefined for a person, whose calls are not counted. */
export async function allowancesOf(op: Op, signal: AbortSignal): Promise<Allowance[] | undefined> {
  if (!op.counted) return undefined;
  let json: unknown;
  try {
    json = await op.json(["service-account", "ratelimit"], signal);
  } catch (error) {
    // A backup does not fail for want of a number that it can do without.
    if (isAppError(error, "unknown", "not-found")) return undefined;
    throw error;
  }
  const allowances = objectsIn(json).flatMap(allowanceOf);
  return allowances.length > 0 ? allowances : undefined;
}

const ACTIONS: ReadonlyMap<unknown, Allowance["action"]> = new Map([
  ["read", "read"],
  ["write", "write"],
  ["read_write", "any"],
]);

function allowanceOf({ type, action, limit, used, reset }: JsonObject): Allowance[] {
  const what = ACTIONS.get(action);
  const [most, spent, seconds] = [countOf(limit), countOf(used), countOf(reset)];
  if ((type !== "token" && type !== "account") || !what || most === undefined || spent === undefined) {
    return [];
  }
  // No seconds: the period begins with the next call.
  return [{
    scope: type,
    action: what,
    limit: most,
    used: spent,
    ...(seconds ? { resetSeconds: seconds } : {}),
  }];
}
