import type { AppError } from "../../base/errors.ts";
import { redact } from "../../base/secret.ts";
import type { World } from "../../base/world.ts";
import type { DoorShare } from "../../model/counts.ts";
import { parseRecordName } from "../../model/archive_name.ts";
import type { Event, Phase } from "../../model/events.ts";
import { bytes, counted, time } from "./format.ts";
import { ProgressLine } from "./progress.ts";
import { printError, type Report } from "./report.ts";
import { Shortfalls } from "./shortfalls.ts";

/** Told in a plain log as well; the other phases are seconds or have an event of their own. */
const LOGGED: Partial<Record<Phase, string>> = {
  "sign-in": "opening the source",
  items: "reading items",
  files: "reading files",
  check: "checking the archive",
  extract: "extracting",
  try: "trying it out",
};

/** For people: a log on standard error with a progress line on a terminal, results on standard output. */
export class HumanReport implements Report {
  readonly #world: World;
  readonly #progress: ProgressLine;
  #shortfalls = new Shortfalls();
  #phase: Phase | undefined;
  #sealed: string | undefined;
  /** Why a destination failed, in the words that were printed without the archive's name, and how often since. */
  readonly #failed = new Map<string, { why: string; more: number }>();

  constructor(world: World) {
    this.#world = world;
    this.#progress = new ProgressLine(world);
  }

  emit(event: Event): void {
    switch (event.event) {
      case "started":
        this.#tellRepeated();
        this.#shortfalls = new Shortfalls(); // what one job lacks is not lacking in the next
        this.#phase = undefined;
        this.#sealed = undefined;
        return this.#say(`${event.job}: ${event.command}`);
      case "phase":
        if (!this.#world.terminal.interactive) this.#log(event.phase);
        return this.#progress.show(event.phase, event.destination);
      case "progress":
        if (!this.#world.terminal.interactive) this.#log(event.phase);
        return this.#progress.show(event.phase, event.destination, event);
      case "shortfall":
        return this.#shortfalls.add(event);
      case "door-limit":
        return this.#shortfalls.addLimit(event);
      case "doors":
        return this.#say(event.doors.map(shareOf).join("; "));
      case "warning":
        return this.#warn(event.message, event.hint);
      case "note":
        return this.#say(event.message);
      case "finding":
        // The error that ends such a run says it.
        return event.finding === "wrong-account" ? undefined : this.#warn(event.message, event.hint);
      case "plan":
      case "case":
        return; // people get a table as the result
      case "waiting":
        return this.#say(`waiting until ${time(new Date(event.until))}: ${event.message}`);
      case "sealed": {
        this.#say(this.#shortfalls.text());
        this.#sealed = event.archive;
        const { counts } = event;
        const what = [
          counted(counts.items, "item"),
          ...(counts.archived > 0 ? [`${counts.archived} archived`] : []),
          counted(counts.files, "file"),
          counted(counts.vaults, "vault"),
          bytes(event.size),
        ];
        return this.#say(`sealed ${event.archive}: ${what.join(", ")}, ${event.outcome}`);
      }
      case "destination":
        return this.#destination(event);
      case "pruning":
        return this.#pruning(event);
      case "error":
        return this.#say(`error: ${event.message}`);
    }
  }

  #destination(event: Event & { event: "destination" }): void {
    if (event.state === "sent" && event.readBack) return;
    this.#progress.end(event.destination);
    // The archive of an earlier run, sent late, is named; that of today has just been.
    const late = event.archive === this.#sealed
      ? ""
      : parseRecordName(event.archive)
      ? ` (record ${event.archive})`
      : ` (${event.archive}, from an earlier run)`;
    switch (event.state) {
      case "sent":
        return this.#say(`${event.destination}: sent, not read back: its credentials may only create${late}`);
      case "read-back":
        return this.#say(`${event.destination}: sent and read back, every byte compared${late}`);
      case "failed": {
        const why = event.message.replaceAll(event.archive, "");
        const before = this.#failed.get(event.destination);
        if (before?.why === why) return void before.more++;
        this.#failed.set(event.destination, { why, more: before?.more ?? 0 });
        this.#say(`${event.destination}: failed${late}: ${event.message}`);
        return event.hint === undefined ? undefined : this.#say(`${event.destination}: hint: ${event.hint}`);
      }
    }
  }

  /** Where a destination was away for a week, its seven archives fail for one reason: that is one line. */
  #tellRepeated(): void {
    for (const [destination, { more }] of this.#failed) {
      if (more > 0) this.#say(`${destination}: failed for the same reason: ${more} more that waited for it`);
    }
    this.#failed.clear();
  }

  #pruning(event: Event & { event: "pruning" }): void {
    const { destination: at } = event;
    const hint = "hint" in event && event.hint !== undefined ? event.hint : undefined;
    switch (event.state) {
      case "done": {
        const { removed, kept, notYet, later } = event;
        if (removed + notYet + later === 0) return;
        const rest = [
          `${kept + notYet + later} stay`,
          ...(notYet > 0 ? [`${notYet} of them only as long as they are locked`] : []),
          ...(later > 0 ? [`${later} of them until the next runs`] : []),
        ];
        return this.#say(`${at}: ${counted(removed, "old archive")} removed, ${rest.join(", ")}`);
      }
      case "blocked":
        this.#say(`${at}: nothing is pruned: ${event.message}`);
        break;
      case "failed":
        this.#say(`${at}: pruning failed after ${counted(event.removed, "archive")}: ${event.message}`);
    }
    if (hint !== undefined) this.#say(`${at}: hint: ${hint}`);
  }

  error(error: AppError): void {
    this.#progress.clear();
    printError(this.#world, error);
  }

  result(text: string): void {
    this.#progress.clear();
    this.#world.terminal.out(redact(text));
  }

  summary(): void {
    this.#tellRepeated();
    this.#progress.clear();
  }

  #log(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    const text = LOGGED[phase];
    if (text !== undefined) this.#say(text);
  }

  #warn(message: string, hint: string | undefined): void {
    this.#say(`warning: ${message}`);
    if (hint !== undefined) this.#say(`hint: ${hint}`);
  }

  #say(text: string): void {
    this.#progress.clear();
    for (const line of text.split("\n")) {
      if (line !== "") this.#world.terminal.err(redact(`vaultferry: ${line}\n`));
    }
  }
}

/** `from onepux: 12 items, 1 file` */
function shareOf({ name, items, files }: DoorShare): string {
  const what = [...items > 0 ? [counted(items, "item")] : [], ...files > 0 ? [counted(files, "file")] : []];
  return `from ${name}: ${what.join(", ") || "nothing"}`;
}
