import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import type { World } from "../../src/base/world.ts";
import { HumanReport } from "../../src/cli/report/human.ts";
import { JsonReport } from "../../src/cli/report/json.ts";
import type { Report } from "../../src/cli/report/report.ts";
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

Deno.test("what is lacking is summed up, gaps by id and first", () => {
  const { world, text } = terminal(false);
  const report = new HumanReport(world);
  const lacking = (
    shortfall: "gap" | "limit",
    reason: "unreadable-item" | "archived-contents",
    itemId: string,
  ) =>
    report.emit({ event: "shortfall", job: "acme", shortfall, reason, vaultId: "v1", itemId, detail: "why" });
  for (let at = 0; at < 30; at++) lacking("limit", "archived-contents", `a${at}`);
  for (let at = 0; at < 12; at++) lacking("gap", "unreadable-item", `b${at}`);
  report.emit({ event: "door-limit", job: "acme", reason: "passkeys", detail: "…" });
  report.emit({
    event: "sealed",
    job: "acme",
    archive: "a.tar.zst.age",
    sequence: 1,
    size: 1536,
    sha256: "",
    outcome: "incomplete",
    counts: { vaults: 1, items: 1, archived: 30, files: 0, bytes: 0, limits: 30, moved: 0, gaps: 12 },
    recipients: [],
  });
  const lines = text().trim().split("\n");
  assert.equal(lines[0], "vaultferry: missing: 12 unreadable item");
  assert.equal(lines.filter((line) => line.includes("vault v1, item b")).length, 10);
  assert.ok(lines.includes("vaultferry:   and 2 more"));
  assert.ok(lines.includes("vaultferry: not given by this source: 30 archived contents"));
  assert.ok(lines.includes("vaultferry: never given by this source: passkeys"));
  assert.equal(
    lines.at(-1),
    "vaultferry: sealed a.tar.zst.age: 1 item, 30 archived, 0 files, 1 vault, 1.5 KiB, incomplete",
  );
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
