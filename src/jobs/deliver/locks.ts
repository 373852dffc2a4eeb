import { AppError } from "../../base/errors.ts";
import type { Destination } from "../../destination/contract.ts";

/** Throws `unsupported` where the config wants a lock that this destination does not have; before anything is sent. */
export function refuseWithoutLocks({ name, can }: Destination): void {
  if (can.immutableUntil) return;
  throw new AppError("unsupported", `destination "${name}": it cannot lock what it stores against removal`, {
    hint: 'leave "immutableFor" out, or use a destination that has locks',
    origin: "destination",
  });
}
