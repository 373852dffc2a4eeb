import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import type { Files } from "../../src/base/world.ts";
import { names, type Story, story } from "./harness.ts";
import { copyOf, entriesAt, NIGHT } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const ONE = { memory: memoryAccount() };

story("a rotated key signs what comes next, and the chain stays one", ONE, async (story) => {
  await night(story, 0);
  const old = publicKey(story);
  const { out, err } = await story.runs(0, "keys", "rotate");
  assert.equal(publicKey(story), out.trim());
  assert.notEqual(publicKey(story), old);
  assert.match(err, /SHA256:\S+ signs no more: add the new key to "signers:"/);
  assert.ok(!names(story.state).includes("signer.next.key"));
  assert.match(
    (await night(story, 0)).err,
    /nas: sent and read back, every byte compared \(record acme_\S+\)\n/,
  );
  assert.doesNotMatch((await night(story, 0)).err, /warning|record/);
  await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  assert.deepEqual(entriesAt(story).map(({ sequence, kind }) => [sequence, kind]).sort(), [
    [1, "archive"],
    [2, "keys-rotate"],
    [3, "archive"],
    [4, "archive"],
  ]);
  assert.equal(new Set(entriesAt(story).map(({ chain }) => chain)).size, 1);
  // Elsewhere the old key is enough: its own record names the new one.
  story.config.state = story.at("host/other");
  story.config.signers = [old];
  await story.runs(0, "verify", "--archive", "all");
});

story("every job of a state changes its key, those of another config too", ONE, async (story) => {
  story.config.jobs.beta = { ...story.job, destinations: [{ ...story.job.destinations[0], name: "nas2" }] };
  await story.runs(0, "backup", "--all");
  delete story.config.jobs.beta;
  const { summary } = await story.runs(0, "keys", "rotate", "--json");
  assert.deepEqual(summary.jobs.sort(), ["acme", "beta"]);
  story.config.jobs.beta = { ...story.job };
  story.clockOffset += NIGHT;
  assert.doesNotMatch((await story.runs(0, "backup", "--all")).err, /warning/);
});

story(
  "a rotation that was interrupted anywhere is no reason not to back up, and the next one finishes it",
  ONE,
  async (story) => {
    await night(story, 0);
    const before = publicKey(story);
    for (let at = 1;; at++) {
      story.files = failingAt(at);
      const { code } = await story.run("keys", "rotate");
      story.files = {};
      assert.doesNotMatch((await night(story, 0)).err, /warning/, `after operation ${at}`);
      if (code === 0) {
        assert.notEqual(publicKey(story), before);
        assert.equal((await story.runs(0, "keys", "signer")).out.trim(), publicKey(story));
        assert.ok(at > 8, `the operations are counted: ${at}`);
        break;
      }
      await story.runs(0, "verify", "--archive", "all");
    }
    await story.runs(0, "keys", "rotate");
    await night(story, 0);
    await story.runs(0, "verify", "--archive", "all");
    assert.equal(new Set(entriesAt(story).map(({ chain }) => chain)).size, 1);
  },
);

story("a state restored from an older copy rotates after all that it had signed", ONE, async (story) => {
  await night(story, 0);
  const restore = copyOf(story.state);
  await night(story, 0);
  await night(story, 0);
  restore();
  const { err } = await story.runs(0, "keys", "rotate");
  assert.match(err, /this host's state was older than what it had signed: entries up to 3 were taken over/);
  assert.doesNotMatch((await night(story, 0)).err, /warning/);
  assert.deepEqual(entriesAt(story).map(({ sequence }) => sequence).sort(), [1, 2, 3, 4, 5]);
  await story.runs(0, "verify", "--archive", "all");
});

story(
  "while a chain cannot go on, the key that signed it stays: it is needed to trust it",
  ONE,
  async (story) => {
    story.config.jobs.beta = { ...story.job };
    await story.runs(0, "backup", "--all");
    Deno.writeTextFileSync(`${story.state}/acme/chain/00000001.json`, "{}");
    const before = publicKey(story);
    const { err } = await story.runs(15, "keys", "rotate");
    assert.match(
      err,
      /error: the chain of job "acme" cannot be read .*: no key was changed\n.*hint: "vaultferry backup acme"/,
    );
    assert.deepEqual([publicKey(story), names(story.state).includes("signer.next.key")], [before, false]);
    story.clockOffset += NIGHT;
    await story.runs(15, "backup", "acme");
    await story.runs(0, "keys", "trust", "acme");
    const { summary } = await story.runs(0, "keys", "rotate", "--json");
    assert.deepEqual(summary.jobs.sort(), ["acme", "beta"]);
    story.clockOffset += NIGHT;
    assert.doesNotMatch((await story.runs(0, "backup", "--all")).err, /warning/);
  },
);

story("a rotation waits for no run: it is refused and changes nothing", ONE, async (story) => {
  await night(story, 0);
  const before = publicKey(story);
  const lock = await denoFiles.lock(`${story.state}/acme/lock`, 100);
  assert.ok(lock);
  await story.runs(11, "keys", "rotate");
  lock.release();
  assert.equal(publicKey(story), before);
  assert.ok(!names(story.state).includes("signer.next.key"));
});

story("a state from before the rotation has lost its key: a new chain, and an alarm", ONE, async (story) => {
  await night(story, 0);
  const restore = copyOf(story.state);
  await story.runs(0, "keys", "rotate");
  await night(story, 0);
  restore();
  const { err } = await night(story, 15);
  assert.match(err, /the key that signs the chain of job "acme" is not on this host: it was set aside/);
  await night(story, 15);
  await story.runs(0, "keys", "trust");
  assert.doesNotMatch((await night(story, 0)).err, /warning/);
  await story.runs(0, "verify", "--archive", "all");
});

/** Files of which the operation that changes something number `at` fails, and every one after it. */
function failingAt(at: number): Partial<Files> {
  let seen = 0;
  const changing =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => (...args: Args): Promise<T> =>
      ++seen >= at ? Promise.reject(new AppError("unknown", "input/output error")) : call(...args);
  return {
    link: changing(denoFiles.link),
    rename: changing(denoFiles.rename),
    remove: changing(denoFiles.remove),
    syncFolder: changing(denoFiles.syncFolder),
    create: changing(denoFiles.create),
  };
}

function night(story: Story, code: number) {
  story.clockOffset += NIGHT;
  return story.runs(code, "backup");
}

function publicKey(story: Story): string {
  return Deno.readTextFileSync(`${story.state}/signer.pub`).trim();
}
