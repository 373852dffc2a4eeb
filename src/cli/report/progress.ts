import type { Phase, Progress } from "../../model/events.ts";
import type { World } from "../../base/world.ts";
import { bytes, number } from "./format.ts";

/** How often the line is drawn again, in milliseconds. */
const REDRAW = 100;

const LABELS: Record<Phase, string> = {
  "sign-in": "opening the source",
  items: "items",
  files: "files",
  seal: "sealing",
  send: "sending",
  "read-back": "reading back",
  fetch: "fetching",
  check: "checking",
  extract: "extracting",
  try: "trying out",
};

/** One line at the bottom of a terminal that is drawn over and over; silent where nobody watches. */
export class ProgressLine {
  readonly #world: World;
  #drawn = false;
  #last = -Infinity;

  constructor(world: World) {
    this.#world = world;
  }

  show(phase: Phase, destination: string | undefined, progress: Progress = {}): void {
    const { terminal, clock } = this.#world;
    if (!terminal.interactive) return;
    const now = clock.monotonic();
    const finished = progress.done !== undefined && progress.done === progress.total;
    if (now - this.#last < REDRAW && !finished && progress.done !== undefined) return;
    this.#last = now;
    const text = describe(phase, destination, progress, terminal.columns - 1);
    terminal.err(`\r\x1b[2K${text}`);
    this.#drawn = true;
  }

  /** Takes the line away, so that other text can be written. */
  clear(): void {
    if (!this.#drawn) return;
    this.#world.terminal.err("\r\x1b[2K");
    this.#drawn = false;
  }
}

/** Such as `items  ███████░░░░░  1,200/2,000`. */
function describe(phase: Phase, destination: string | undefined, progress: Progress, width: number): string {
  const label = destination === undefined ? LABELS[phase] : `${LABELS[phase]} (${destination})`;
  const parts: string[] = [];
  if (progress.done !== undefined) {
    parts.push(progress.total ? `${number(progress.done)}/${number(progress.total)}` : number(progress.done));
  }
  if (progress.bytes !== undefined) {
    parts.push(
      progress.totalBytes ? `${bytes(progress.bytes)}/${bytes(progress.totalBytes)}` : bytes(progress.bytes),
    );
  }
  const share = shareOf(progress);
  const figures = parts.join("  ");
  if (share === undefined) return `${label}  ${figures}`.trimEnd().slice(0, width);
  const room = Math.max(0, Math.min(30, width - label.length - figures.length - 4));
  const full = Math.round(room * share);
  return `${label}  ${"█".repeat(full)}${"░".repeat(room - full)}  ${figures}`.slice(0, width);
}

function shareOf({ done, total, bytes, totalBytes }: Progress): number | undefined {
  const share = totalBytes ? (bytes ?? 0) / totalBytes : total ? (done ?? 0) / total : undefined;
  return share === undefined ? undefined : Math.min(1, share);
}
