/** Whatever happens night after night: no rule of pruning is broken, and two ordinary nights later it prunes again. */
import assert from "node:assert/strict";
import type { BackupResult } from "../../src/jobs/backup/backup.ts";
import { before as ago } from "../../src/policy/calendar.ts";
import type { RetentionRules } from "../../src/policy/retention.ts";
import { DAY, Host, type Place, PLACES, type Trouble } from "./prune_host.ts";

const HISTORIES = 150;
const RULES: RetentionRules[] = [
  { keepLast: 1 },
  { keepLast: 4 },
  { keepWithin: "2d" },
  { keepDaily: 2, keepWeekly: 1 },
  { keepWithin: "1d", keepMonthly: 2 },
  { keepHourly: 3 },
];

/** Reproducible: the seed is in every message. */
function random(seed: number): () => number {
  return () => {
    seed = Math.imul(seed ^ seed >>> 15, seed | 1);
    seed ^= seed + Math.imul(seed ^ seed >>> 7, seed | 61);
    return ((seed ^ seed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** One history, from the first night to the two ordinary ones at its end. */
class History {
  readonly #next: () => number;
  readonly #host: Host;
  readonly #strangers: string[] = [];
  readonly #times: number[] = [];
  readonly told: string[] = [];
  removed = 0;

  constructor(readonly seed: number) {
    this.#next = random(seed);
    for (let at = 0; at < 5; at++) this.#next();
    this.#host = new Host(this.#pick(RULES), new Date("2026-03-01T03:00:00Z"));
  }

  async run(): Promise<void> {
    using _ = this.#host;
    await this.#night({});
    for (let nights = 3 + this.#upTo(6); nights > 0; nights--) await this.#anyNight();
    await this.#ordinary();
    const last = await this.#ordinary();
    for (const { destination, block, error, verdicts } of last!.pruned) {
      assert.deepEqual(
        [block, error],
        [undefined, undefined],
        this.#say(`it prunes again at ${destination}`),
      );
      const left = this.#host.archives(destination as Place);
      const due = verdicts.filter(({ keep }) => !keep).map(({ archive }) => archive.name);
      assert.deepEqual(due.filter((name) => left.includes(name)), [], this.#say("nothing due is left"));
    }
    assert.equal(last!.pruned.length, PLACES.length);
  }

  async #ordinary(): Promise<BackupResult | undefined> {
    this.#pass(DAY);
    return await this.#night({});
  }

  async #anyNight(): Promise<void> {
    const luck = this.#next();
    this.#pass(luck < 0.1 ? DAY / 24 : DAY);
    const kind = this.#upTo(11);
    if (kind === 0) return void await this.#night({ incomplete: true });
    if (kind === 1) return void await this.#night({ down: this.#pick(PLACES) });
    if (kind === 2) return void await this.#night({ unlisted: this.#pick(PLACES) });
    if (kind === 3) return void await this.#night({ killed: true });
    if (kind === 4) this.#pass(this.#pick([8, 40, 500]) * DAY);
    if (kind === 5) this.#pass(-this.#pick([1.5, 9, 300]) * DAY);
    if (kind === 6) await this.#drop();
    if (kind === 7) return void await this.#night({ down: "usb", killed: true });
    await this.#night({});
  }

  async #drop(): Promise<void> {
    for (let count = 1 + this.#upTo(3); count > 0; count--) {
      const days = this.#pick([-400, -3, -0.5, 0.01, 30]);
      const time = new Date(Math.floor((this.#host.now.getTime() + days * DAY) / 1000) * 1000);
      const nonce = `bad0${this.#upTo(0xffff).toString(16).padStart(4, "0")}`;
      this.#strangers.push(
        this.#next() < 0.5
          ? this.#host.dropUnsigned(time, nonce)
          : await this.#host.dropStrangers(time, nonce),
      );
    }
    this.told.push(`${this.#strangers.length} of strangers`);
  }

  /** A night, and what must hold after it. */
  async #night(trouble: Trouble): Promise<BackupResult | undefined> {
    const host = this.#host, time = Math.floor(host.now.getTime() / 1000) * 1000;
    const before = { nas: host.archives("nas"), usb: host.archives("usb") };
    this.told.push(`${host.now.toISOString().slice(0, 16)} ${JSON.stringify(trouble)}`);
    const result = await host.night(trouble);
    for (const place of PLACES) {
      this.#check(place, before[place], trouble, time);
    }
    for (const name of this.#strangers) {
      assert.ok(host.archives("nas").includes(name), this.#say(`${name} is gone`));
    }
    assert.deepEqual(result?.alarms ?? [], [], this.#say("no alarm"));
    this.#times.push(time);
    return result;
  }

  #check(place: Place, before: string[], trouble: Trouble, time: number): void {
    const host = this.#host, left = host.archives(place), manifests = host.manifests(place);
    const gone = before.filter((name) => !left.includes(name));
    this.removed += gone.length;
    const named = host.named(place);
    for (const name of gone) {
      const at = Date.parse(manifests.get(name)?.time ?? assert.fail(this.#say("its manifest stays")));
      assert.ok(named.includes(name), this.#say(`${name} is named in a record there`));
      assert.ok(at <= time, this.#say("nothing that is dated in the future"));
      const { keepWithin } = host.rules;
      if (keepWithin) assert.ok(at < ago(new Date(time), keepWithin).getTime(), this.#say("nothing within"));
    }
    assert.ok(gone.length <= 30, this.#say("not more than thirty"));
    const none = this.#reasonForNone(place, trouble, time);
    if (none) assert.deepEqual(gone, [], this.#say(`${place}: nothing may go: ${none}`));
    // Keepers: of trusted keys, complete, not dated in the future.
    const keeper = (name: string) =>
      !this.#strangers.includes(name) && manifests.get(name)?.outcome === "complete" &&
      Date.parse(manifests.get(name)!.time) <= time;
    const age = (name: string) => Date.parse(manifests.get(name)!.time);
    const all = [...new Set([...before, ...left])].filter(keeper).sort((a, b) => age(b) - age(a));
    const stay = all.filter((name) => left.includes(name)), must = host.rules.keepLast ?? 1;
    assert.ok(stay.length >= Math.min(3, all.length), this.#say(`${place}: never fewer than three`));
    assert.deepEqual(
      all.slice(0, must).filter((name) => !left.includes(name)),
      [],
      this.#say(`${place}: the newest ${must} complete ones stay`),
    );
  }

  #reasonForNone(place: Place, trouble: Trouble, time: number): string | undefined {
    if (trouble.incomplete) return "incomplete";
    if (trouble.down === place) return "down";
    if (trouble.unlisted === place) return "no list";
    if (trouble.killed) return "stopped at the first removal";
    const pause = time - (this.#times.at(-1) ?? time);
    if (pause < 0) return "the clock went back";
    const longest = Math.max(0, ...this.#times.slice(-4).map((one, at, some) => one - (some[at - 1] ?? one)));
    return pause > 7 * DAY && longest <= 7 * DAY ? "after a long pause" : undefined;
  }

  #pass(ms: number): void {
    this.#host.now = new Date(this.#host.now.getTime() + ms + 1000 * this.#upTo(600));
  }

  #upTo(most: number): number {
    return Math.floor(this.#next() * (most + 1));
  }

  #pick<T>(some: readonly T[]): T {
    return some[this.#upTo(some.length - 1)]!;
  }

  #say(what: string): string {
    return `seed ${this.seed}, ${JSON.stringify(this.#host.rules)}: ${what}\n${this.told.join("\n")}`;
  }
}

Deno.test("over random histories no rule is broken, and two ordinary nights later old archives go again", async () => {
  let removed = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const history = new History(seed);
    await history.run();
    removed += history.removed;
  }
  assert.ok(removed > HISTORIES, `they are about something: ${removed} archives were removed`);
});
