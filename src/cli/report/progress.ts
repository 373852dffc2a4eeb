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
  /** What goes on at each destination; they work at the same time. */
  readonly #destinations = new Map<string, { phase: Phase; progress: Progress }>();

  constructor(world: World) {
    this.#world = world;
  }

  show(phase: Phase, destination: string | undefined, progress: Progress = {}): void {
    const { terminal, clock } = this.#world;
    if (!terminal.interactive) return;
    if (destination !== undefined) this.#destinations.set(destination, { phase, progress });
    const now = clock.monotonic();
    const begun = progress.done === undefined && progress.bytes === undefined;
    const finished = shareOf(progress) === 1;
    if (now - this.#last < REDRAW && !finished && !begun) return;
    this.#last = now;
    const width = terminal.columns - 1;
    const text = destination !== undefined && this.#destinations.size > 1
      ? [...this.#destinations].map(([name, { phase, progress }]) => brief(name, phase, progress)).join("   ")
      : describe(phase, destination, progress, width);
    terminal.err(`\r\x1b[2K${text.slice(0, width)}`);
    this.#drawn = true;
  }

  /** Nothing more goes on there. */
  end(destination: string): void {
    this.#destinations.delete(destination);
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

/** Such as `nas: sending 45%`: one of several that work at the same time. */
function brief(destination: string, phase: Phase, progress: Progress): string {
  const share = shareOf(progress);
  const figure = share === undefined ? "" : ` ${Math.floor(100 * share)}%`;
  return `${destination}: ${LABELS[phase]}${figure}`;
}

function shareOf({ done, total, bytes, totalBytes }: Progress): number | undefined {
  const share = totalBytes ? (bytes ?? 0) / totalBytes : total ? (done ?? 0) / total : undefined;
  return share === undefined ? undefined : Math.min(1, share);
}
