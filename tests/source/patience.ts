import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import type { Event } from "../../src/model/events.ts";
import type { Vault } from "../../src/model/vault.ts";
import type { Source } from "../../src/source/contract.ts";
import { Patience } from "../../src/source/patience.ts";
import { FakeClock } from "../base/clock.ts";

const MINUTE = 60_000;
export const never = new AbortController().signal;
export const vault: Vault = { id: "v", title: "V", description: "", kind: "created", raw: {} };

/** A used-up quota, as source plugins tell it; with the seconds that 1Password said, where it said any. */
export const quota = (retryAfter?: number) =>
  new AppError("quota", "1Password's quota is used up", {
    origin: "source",
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });

/** A patience of so many minutes, with what it did. */
export function patience(minutes: number, clock = new FakeClock()) {
  const events: Event[] = [];
  const one = new Patience({
    clock,
    total: minutes * MINUTE,
    job: "acme",
    emit: (event) => void events.push(event),
  });
  return { one, clock, events, slept: () => clock.slept.map((ms) => ms / MINUTE) };
}

/** An action that throws `errors` one after the other and then succeeds. */
export function failing(...errors: unknown[]) {
  let calls = 0;
  return {
    action: () => {
      const error = errors[calls++];
      return error === undefined ? Promise.resolve("done") : Promise.reject(error);
    },
    calls: () => calls,
  };
}

/** A door that does nothing but what is given. */
export function door(given: Partial<Source>): Source {
  const unasked = () => Promise.reject(new Error("nobody asked for this"));
  return {
    name: "door",
    limits: [],
    account: unasked,
    vaults: unasked,
    items: () => assert.fail("nobody asked for items"),
    open: unasked,
    estimate: unasked,
    [Symbol.asyncDispose]: () => Promise.resolve(),
    ...given,
  };
}
