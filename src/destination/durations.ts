import { z } from "zod";

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400, y: 366 * 86_400 };

/** The setting for how long nothing may move, for a plugin's own part. */
export const timeoutSetting = z.string().regex(/^[1-9]\d{0,3}[sm]$/, "must be a duration such as 90s or 5m")
  .optional().describe("a transfer is given up when nothing moves for so long; 2m where left out");

/** Milliseconds of a duration such as `90s`, `36h` or `1y` that a setting has taken. */
export function milliseconds(duration: string): number {
  const unit = duration.at(-1) as keyof typeof SECONDS;
  return Number(duration.slice(0, -1)) * SECONDS[unit] * 1000;
}
