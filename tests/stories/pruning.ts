/** What stories about pruning have in common: nights, what was told of it, and what others drop at a destination. */
import { formatArchiveName } from "../../src/model/archive_name.ts";
import { type Line, type Ran, type Story, story } from "./harness.ts";
import { type MemoryAccount, memoryAccount } from "./memory_source.ts";

export const DAY = 86_400_000;

/** A backup every night, the clock moving on by a day before each; the last of them. */
export async function nights(story: Story, count: number, code = 0, ...flags: string[]): Promise<Ran> {
  let ran: Ran | undefined;
  for (let night = 0; night < count; night++) {
    story.clockOffset += DAY;
    ran = await story.runs(code, "backup", "--json", ...flags);
  }
  return ran!;
}

/** The same, seconds apart: services refuse a host whose clock is wrong by more than minutes. */
export async function backups(story: Story, count: number, code = 0): Promise<Ran> {
  let ran: Ran | undefined;
  for (let at = 0; at < count; at++) {
    story.clockOffset += 10_000;
    ran = await story.runs(code, "backup", "--json");
  }
  return ran!;
}

/** What was told of pruning, by destination. */
export function prunings({ lines }: Ran): Line[] {
  return lines.filter(({ event }) => event === "pruning").map(({ v: _, event: __, job: ___, ...rest }) =>
    rest
  );
}

/** `[state, removed, kept]` or `["blocked", why]` of the only destination. */
export function fate(ran: Ran): unknown[] {
  const [one, ...others] = prunings(ran);
  if (!one || others.length > 0) return [];
  return one.state === "blocked" ? ["blocked", one.message] : [one.state, one.removed, one.kept];
}

/** A story that begins with one backup under these rules. */
export function pruneStory(
  name: string,
  retention: Line | undefined,
  tell: (story: Story, account: MemoryAccount) => Promise<void>,
  more: string[] = [],
): void {
  const account = memoryAccount();
  story(name, { memory: account, inMemory: true, destinations: ["nas", ...more] }, async (story) => {
    if (retention) story.job.retention = retention;
    await story.runs(0, "backup");
    await tell(story, account);
  });
}

/** The name of an archive of the job that somebody made up, so many days from the story's present. */
export function madeUpName(story: Story, days: number, nonce = "0badcafe"): string {
  const time = new Date(Date.now() + story.clockOffset + days * DAY);
  return formatArchiveName({ job: "acme", time, nonce, compression: "zstd" });
}
