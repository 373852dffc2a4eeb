import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import type { World } from "../../src/base/world.ts";
import { HumanReport } from "../../src/cli/report/human.ts";
import { JsonReport } from "../../src/cli/report/json.ts";
import type { Report } from "../../src/cli/report/report.ts";
import type { Event } from "../../src/model/events.ts";
import type { DoorLimit, Shortfall } from "../../src/model/shortfall.ts";
import { worldWith } from "../base/scratch.ts";

/** A terminal of 60 columns whose clock goes on by hand. */
function terminal(
  interactive: boolean,
): { world: World; text: () => string; out: () => string; wait: (ms: number) => void } {
  let err = "";
  let out = "";
  let now = 0;
  const world = worldWith({}, {
    clock: { now: () => new Date(0), monotonic: () => now, sleep: () => Promise.resolve() },
    terminal: {
      interactive,
      columns: 60,
      out: (text) => void (out += text),
      err: (text) => void (err += text),
    },
  });
  return { world, text: () => err, out: () => out, wait: (ms) => void (now += ms) };
}

const items = (done: number) =>
  ({ event: "progress", job: "acme", phase: "items", done, total: 2000 }) as const;

Deno.test("on a terminal one line is drawn over and over, and never wider than the terminal", () => {
  const { world, text, wait } = terminal(true);
  const report = new HumanReport(world);
  for (let done = 1; done <= 2000; done++) {
    report.emit(items(done));
    wait(1);
  }
  const draws = text().split("\r\x1b[2K").slice(1);
  assert.ok(draws.length > 10 && draws.length < 40, `${draws.length} draws in two seconds`);
  for (const draw of draws) {
    assert.ok(draw.length <= 59, draw);
    assert.match(draw, /^items {2}█*░* {2}[\d,]+\/2,000$/);
  }
  assert.ok(draws.at(-1)!.endsWith("2,000/2,000"));
  assert.ok(!draws.at(-1)!.includes("░"));
});

Deno.test("files show how many and how much", () => {
  const { world, text } = terminal(true);
  new HumanReport(world).emit({
    event: "progress",
    job: "acme",
    phase: "files",
    done: 3,
    total: 6,
    bytes: 1024 * 1024,
    totalBytes: 4 * 1024 * 1024,
  });
  assert.match(text(), /files {2}█+░+ {2}3\/6 {2}1\.0 MiB\/4\.0 MiB$/);
});

Deno.test("a line of the log takes the progress away first", () => {
  const { world, text } = terminal(true);
  const report = new HumanReport(world);
  report.emit(items(5));
  report.emit({ event: "warning", job: "acme", code: "x", message: "something is odd" });
  assert.ok(text().endsWith("\r\x1b[2Kvaultferry: warning: something is odd\n"));
});

Deno.test("where nobody watches there is a plain log without control characters", () => {
  const { world, text } = terminal(false);
  const report = new HumanReport(world);
  report.emit({ event: "phase", job: "acme", phase: "sign-in" });
  for (let done = 1; done <= 2000; done++) report.emit(items(done));
  assert.equal(text(), "vaultferry: opening the source\nvaultferry: reading items\n");
});

const SEALED: Event = {
  event: "sealed",
  job: "acme",
  archive: "a.tar.zst.age",
  sequence: 1,
  size: 1536,
  sha256: "",
  outcome: "incomplete",
  counts: { vaults: 1, items: 1, archived: 30, files: 0, bytes: 0, limits: 30, moved: 0, gaps: 12 },
  recipients: [],
};

/** What people read of a run in which these things were lacking. */
function told(...events: Event[]): string[] {
  const { world, text } = terminal(false);
  const report = new HumanReport(world);
  for (const event of [...events, SEALED]) report.emit(event);
  return text().trimEnd().split("\n").map((line) => line.replace(/^vaultferry: /, "")).slice(0, -1);
}

function lacking(shortfall: Shortfall["shortfall"], reason: string, ...ids: string[]): Event {
  const [vaultId = "", itemId, fileId] = ids;
  return {
    event: "shortfall",
    job: "acme",
    shortfall,
    reason: reason as Shortfall["reason"],
    vaultId,
    ...(itemId === undefined ? {} : { itemId }),
    ...(fileId === undefined ? {} : { fileId }),
    detail: `why ${reason}`,
  };
}

const times = (count: number, make: (at: number) => Event) =>
  Array.from({ length: count }, (_, at) => make(at));
const IDS = 'all ids: "--json", or manifest.json inside the archive';

Deno.test("what is lacking is summed up, gaps by id and first", () => {
  const { world, text } = terminal(false);
  const report = new HumanReport(world);
  for (const event of times(30, (at) => lacking("limit", "archived-contents", "v1", `a${at}`))) {
    report.emit(event);
  }
  for (const event of times(12, (at) => lacking("gap", "unreadable-item", "v1", `b${at}`))) {
    report.emit(event);
  }
  report.emit({ event: "door-limit", job: "acme", reason: "passkeys", detail: "…", door: "onepassword-sdk" });
  report.emit(SEALED);
  assert.deepEqual(text().trim().split("\n"), [
    "vaultferry: missing: 12 items that could not be read",
    ...Array.from({ length: 10 }, (_, at) => `vaultferry:   vault v1, item b${at}: why unreadable-item`),
    "vaultferry:   and 2 more",
    "vaultferry: limits: 30 archived items listed only",
    `vaultferry: ${IDS}`,
    "vaultferry: never through onepassword-sdk: passkeys",
    "vaultferry: sealed a.tar.zst.age: 1 item, 30 archived, 0 files, 1 vault, 1.5 KiB, incomplete",
  ]);
});

Deno.test("a complete run of one source says nothing but what the source never gives", () => {
  assert.deepEqual(told(), []);
});

Deno.test("limits and what moved are a line each, whatever there is of them", () => {
  const lines = told(
    ...times(12, (at) => lacking("limit", "archived-contents", "v1", `a${at}`)),
    ...times(3, (at) => lacking("limit", "unsupported-field", "v1", `b${at}`)),
    lacking("limit", "file-too-large", "v1", "c", "f"),
    lacking("limit", "older-contents", "v1", "d"),
    lacking("limit", "a-later-reason", "v1", "e"),
    lacking("moved", "deleted-meanwhile", "v1", "f"),
    lacking("moved", "deleted-meanwhile", "v1", "g"),
    lacking("moved", "deleted-meanwhile", "v1", "h", "f"),
    lacking("moved", "vault-removed-meanwhile", "v2"),
  );
  assert.deepEqual(lines, [
    "moved meanwhile: 2 items deleted, 1 file deleted, 1 vault removed",
    "limits: 12 archived items listed only, 3 items with unsupported fields, 1 file too large, " +
    "1 item with older contents, 1 item (a later reason)",
    IDS,
  ]);
});

Deno.test("gaps are told kind by kind, and a source that could not be read by its name", () => {
  const lines = told(
    lacking("gap", "short-list", "v1"),
    lacking("gap", "file-shorter", "v1", "i", "f"),
    lacking("gap", "door-failed"),
    lacking("gap", "door-failed", "v2"),
    lacking("gap", "vault-not-visible", "Finance"),
  );
  assert.deepEqual(lines, [
    "missing: 1 vault listed in part",
    "  vault v1: why short-list",
    "missing: 1 file shorter than declared",
    "  vault v1, item i, file f: why file-shorter",
    "missing: 1 source that could not be read",
    "  why door-failed",
    "missing: 1 vault that could not be read through another source",
    "  vault v2: why door-failed",
    "missing: 1 vault not visible",
    "  vault Finance: why vault-not-visible",
  ]);
});

Deno.test("what doors never give is a line for each, with where else it is to be had, and said once", () => {
  const limit = (door: string, reason: string, more: Partial<DoorLimit> = {}): Event => (
    { event: "door-limit", job: "acme", reason, detail: "…", door, ...more }
  );
  const lines = told(
    limit("onepassword-sdk", "password-history", { elsewhere: ["onepux"], items: 12 }),
    limit("onepassword-sdk", "personal-vaults"),
    limit("onepassword-sdk", "form-details", { elsewhere: ["onepux"] }),
    limit("onepassword-sdk", "ssh", { elsewhere: ["op", "onepux"] }),
    limit("onepassword-sdk", "passkeys"),
    limit("onepux", "passkeys"),
    limit("onepux", "point-in-time"),
    limit("onepux-2", "passkeys"),
    {
      event: "doors",
      job: "acme",
      doors: [
        { name: "onepassword-sdk", vaults: 2, items: 1192, files: 0 },
        { name: "onepux", vaults: 0, items: 12, files: 1 },
        { name: "onepux-2", vaults: 0, items: 0, files: 0 },
      ],
    },
  );
  assert.deepEqual(lines, [
    "from onepassword-sdk: 1,192 items; from onepux: 12 items, 1 file; from onepux-2: nothing",
    "never through onepassword-sdk: personal vaults, passkeys; " +
    "but through onepux: password history (of 12 items), favourites and web form details; " +
    "but through op or onepux: ssh",
    "never through onepux: what changed since the export",
  ]);
});

Deno.test("what one job lacks is not told of the next", () => {
  const { world, text } = terminal(false);
  const report = new HumanReport(world);
  report.emit(lacking("gap", "short-list", "v1"));
  report.emit({ event: "started", job: "other", command: "backup" });
  report.emit(SEALED);
  assert.doesNotMatch(text(), /missing/);
});

Deno.test("programs get progress once a second, not once an item, and every error on both streams", () => {
  const { world, out, text, wait } = terminal(true);
  const report = new JsonReport(world);
  for (let done = 1; done <= 2000; done++) {
    report.emit(items(done));
    wait(1);
  }
  assert.equal(out().trim().split("\n").length, 2);
  report.error(new AppError("denied", "no", { hint: "ask" }), "acme");
  assert.equal(text(), "vaultferry: error: no\nvaultferry: hint: ask\n");
  assert.deepEqual(JSON.parse(out().trim().split("\n").at(-1)!), {
    v: 1,
    event: "error",
    job: "acme",
    code: "denied",
    message: "no",
    hint: "ask",
  });
});

Deno.test("a secret that got into a message is still not printed", () => {
  const { world, out, text } = terminal(false);
  const token = "ops_" + "eyJzaWduSW5BZGRyZXNzIjoi".repeat(3);
  const reports: Report[] = [new HumanReport(world), new JsonReport(world)];
  for (const report of reports) {
    report.error(new AppError("unknown", `cannot use ${token}`));
    report.emit({ event: "warning", job: "", code: "x", message: `cannot use ${token}` });
    report.result(`${token}\n`);
    report.summary({ command: "x", exitCode: 1, error: token });
  }
  assert.ok(!(out() + text()).includes("eyJzaWdu"));
});
