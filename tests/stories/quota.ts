import assert from "node:assert/strict";
import type { LocalService } from "../service/mod.ts";
import type { Line, Story } from "./harness.ts";

/** The objects of one kind that `--json` printed. */
export function events(lines: readonly Line[], event: string): Line[] {
  return lines.filter((line) => line.event === event);
}

/** For how many seconds a run wanted to wait, one by one. */
export function waits(lines: readonly Line[]): number[] {
  return events(lines, "waiting").map(({ seconds }) => seconds);
}

export function nothingPublished(story: Story): void {
  assert.deepEqual(story.stored(), []);
  assert.deepEqual(story.spooled(), []);
}

/** What was asked for, for the message of an assertion. */
export function wordsOf(requests: LocalService["requests"]): string {
  return `${requests.total()} requests: ${JSON.stringify(requests.counts())}`;
}
