import type { SourcePlugin } from "../../src/source/plugin.ts";
import { memoryAccount, memorySource } from "./memory_source.ts";
import type { Story, StoryOptions } from "./harness.ts";

/** What the source writes in clear, in the only file of its private folder. */
export const PRIVATE_TEXT = "made-up-secret-in-a-private-folder";
export const PRIVATE_FILE = "document";

export interface PrivateHabits {
  /** Never lists a vault, and ends when it is told to stop. */
  hangs?: boolean;
  /** Does not dispose of its folder. */
  forgets?: boolean;
  /** Runs when the secret lies in the folder, and when it is disposed of. */
  written?(folder: string): void;
  released?(folder: string): void;
  /** Runs at the end of opening. */
  opened?(): void;
}

/** A source in memory that needs a folder to write to, as a program does that only knows files. */
export function privateSource(habits: PrivateHabits = {}): SourcePlugin {
  const inner = memorySource(memoryAccount());
  return {
    ...inner,
    async open(config, context, signal) {
      const folder = await context.privateFolder();
      await Deno.writeTextFile(`${folder.path}/${PRIVATE_FILE}`, PRIVATE_TEXT.repeat(100));
      habits.written?.(folder.path);
      habits.opened?.();
      const source = await inner.open(config, context, signal);
      const vaults = source.vaults.bind(source);
      return Object.assign(source, {
        vaults: async (signal: AbortSignal) => {
          if (habits.hangs) await untilStopped(signal);
          return await vaults(signal);
        },
        [Symbol.asyncDispose]: async () => {
          if (habits.forgets) return;
          await folder[Symbol.asyncDispose]();
          habits.released?.(folder.path);
        },
      });
    },
  };
}

/** Something for the process to wait for: a promise alone would let it end. */
async function untilStopped(signal: AbortSignal): Promise<void> {
  const timer = setInterval(() => {}, 1000);
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    .finally(() => clearInterval(timer));
}

/** In memory, so that its runtime directory is one as systemd makes it. */
export const GIVEN: StoryOptions = { memory: memoryAccount(), inMemory: true };

/** Gives the story a runtime directory and a source that needs a private folder. */
export function furnish(story: Story, habits: PrivateHabits = {}): string {
  const place = story.at("run");
  Deno.mkdirSync(place, { recursive: true, mode: 0o700 });
  story.env.RUNTIME_DIRECTORY = place;
  Object.assign(story.registry, { sources: [privateSource(habits)] });
  expectNoSecret(story);
  return place;
}

/** From here on the secret may lie nowhere in this story. */
export function expectNoSecret(story: Story): void {
  expectSecret(story);
  story.private.push({ what: "the secret of the private folder", text: PRIVATE_TEXT });
}

export function expectSecret(story: Story): void {
  const at = story.private.findIndex(({ text }) => text === PRIVATE_TEXT);
  if (at >= 0) story.private.splice(at, 1);
}

/** The commands that open a source. */
export const COMMANDS = [["backup"], ["backup", "--dry-run"]];
