import assert from "node:assert/strict";
import { type AccountDescription, type LocalService, startService } from "../service/mod.ts";
import { SMALL, type Story, story } from "./harness.ts";

story("a token of another secret is refused after exactly one attempt", {}, async (story) => {
  await story.writeToken(story.service.token({ wrongSecret: true }));
  await refused(
    story,
    /error: 1Password refused the sign-in: the service account token is wrong, expired or revoked\n/,
  );
  assert.equal(story.service.requests.count("auth/start"), 1);
  assert.equal(story.service.requests.count("auth/confirm"), 1);
  assert.equal(story.service.requests.total(), 3);
});

story("a token of another service is refused after exactly one attempt", {}, async (story) => {
  await using other = await startService({ ...SMALL, name: "Other", seed: "other" });
  await story.writeToken(other.token({ signInAddress: story.service.url }));
  await refused(story, /error: 1Password refused the sign-in/);
  assert.equal(story.service.requests.total(), 1);
});

for (const status of [401, 403] as const) {
  story(`a revoked token (${status}) is refused after exactly one attempt`, {}, async (story) => {
    story.service.account.revokeToken(status);
    await refused(
      story,
      /error: 1Password refused the sign-in: .* wrong, expired or revoked\n.*hint: make a new service account/,
    );
    assert.equal(story.service.requests.total(), 1);
    // The dry run is no second way in.
    await story.runs(13, "backup", "--dry-run");
    assert.equal(story.service.requests.total(), 2);
  });
}

story("a damaged token is refused without asking anybody", {}, async (story) => {
  const good = story.service.token();
  const damaged = {
    "no token": /is not a service account token\n/,
    [`ops_${"x".repeat(300)}`]: /is not a service account token \(damaged or cut off\?\)/,
    [good.slice(0, good.length / 2)]: /damaged or cut off/,
    [good.slice(0, 100) + " " + good.slice(100)]: /is not a service account token\n/,
    [good + good]: /service account token/,
  };
  for (const [token, sentence] of Object.entries(damaged)) {
    await story.writeToken(token);
    const { err } = await refused(story, sentence);
    assert.match(err, /hint: a token begins with "ops_" and is one long line/);
  }
  assert.equal(story.service.requests.total(), 0);
});

story("a token revoked before anything was read ends the run without another attempt", {}, async (story) => {
  story.service.onRequest("vaults/list", () => story.service.account.revokeToken());
  const { err } = await refused(story, /error: 1Password no longer accepts the service account token\n/);
  assert.match(err, /hint: it was revoked or has expired: make a new one/);
  // The core itself signs in anew when its session has ended; after that nobody tries again.
  assert.equal(story.service.requests.count("auth/start"), 2);
});

for (const status of [401, 403] as const) {
  story(`a token revoked (${status}) while items are read costs the rest, and one further sign-in`, {
    account: manyFiles(),
  }, async (story) => {
    let lists = 0;
    story.service.onRequest("items/overviews", () => {
      if (++lists === 2) story.service.account.revokeToken(status);
    });
    const { lines } = await story.runs(3, "backup", "--json");
    const gaps = lines.filter((line) => line.event === "shortfall");
    assert.deepEqual(gaps.map(({ shortfall, reason }) => [shortfall, reason]), [
      ...Array(2).fill(["gap", "unreadable-vault"]),
      ...Array(3).fill(["gap", "unreadable-file"]),
    ]);
    const lost = new Set(gaps.slice(0, 2).map(({ vaultId }) => vaultId));
    const saved = story.service.account.vaults.filter(({ id }) => !lost.has(id));
    assert.equal(saved.length, 1);
    assert.deepEqual(gaps.slice(2).map(({ itemId }) => itemId).toSorted(), idsOf(saved));
    for (const { detail } of gaps) {
      assert.match(detail, /1Password no longer accepts the service account token/);
    }
    assert.equal(story.service.requests.count("auth/start"), 2);
    await story.runs(0, "verify", "--identity", story.key);
  });
}

story("a token revoked while files are read costs the rest of the files, and one further sign-in", {
  account: manyFiles(),
}, async (story) => {
  let reads = 0;
  story.service.onRequest("item/get", () => {
    if (++reads === 3) story.service.account.revokeToken();
  });
  const { lines } = await story.runs(3, "backup", "--json");
  const gaps = lines.filter((line) => line.event === "shortfall");
  // Up to four files are asked for at the same time: the two before the third may be lost with it.
  assert.ok(gaps.length >= 7 && gaps.length <= 9);
  assert.deepEqual(gaps.map(({ reason }) => reason), gaps.map(() => "unreadable-file"));
  const lost = new Set(gaps.map(({ itemId }) => itemId));
  assert.equal(idsOf(story.service.account.vaults).filter((id) => !lost.has(id)).length, 9 - gaps.length);
  assert.equal(story.service.requests.count("auth/start"), 2);
  await story.runs(0, "verify", "--identity", story.key);
});

story("a session that ends is begun again, once, without loss", { account: manyFiles() }, async (story) => {
  let reads = 0;
  story.service.onRequest("item/get", () => {
    if (++reads === 3) story.service.account.endSessions();
  });
  await story.runs(0, "backup");
  assert.equal(story.service.requests.count("auth/start"), 2);
});

story("a token file that is missing, open to others or empty is a fault of the config", {}, async (story) => {
  const check = async (sentence: RegExp) => {
    const { err } = await story.runs(2, "backup");
    assert.match(err, sentence);
    nothingPublished(story);
  };
  await Deno.chmod(story.token, 0o644);
  await check(/error: other users may use the secret in ".*\/token"\nvaultferry: hint: chmod 600 /);
  await Deno.chmod(story.token, 0o600);
  await Deno.truncate(story.token, 0);
  await check(/error: ".*\/token" is empty/);
  await Deno.remove(story.token);
  await check(/error: .*\/token": it does not exist/);
  await Deno.mkdir(story.token, { mode: 0o700 });
  await check(/is not a regular file/);
  assert.equal(story.service.requests.total(), 0);
  await Deno.remove(story.token);
});

story("a token from a command or the environment works, the latter with a warning", {}, async (story) => {
  story.job.source.token = { command: ["cat", story.token] };
  await story.runs(0, "backup");
  story.env.OP_TOKEN = story.service.token();
  story.job.source.token = "env:OP_TOKEN";
  assert.match((await story.runs(0, "backup")).err, /warning: the secret in "OP_TOKEN" can leak/);
  story.job.source.token = { command: ["bash", "-c", `cat ${story.token} >&2; exit 3`] };
  assert.match(
    (await story.runs(2, "backup")).err,
    /the command "bash" failed \(exit code 3\): ops_\[redacted\]/,
  );
});

function manyFiles(): AccountDescription {
  const items = ["a", "b", "c"].map((title) => ({
    title,
    files: [{ name: `${title}.txt`, content: title }],
  }));
  return { name: "Many files", vaults: ["one", "two", "three"].map((title) => ({ title, items })) };
}

function idsOf(vaults: LocalService["account"]["vaults"]): string[] {
  return vaults.flatMap(({ items }) => items.map(({ id }) => id)).toSorted();
}

/** The run ends with 13 and has left nothing behind. */
async function refused(story: Story, sentence: RegExp): Promise<{ err: string }> {
  const ran = await story.runs(13, "backup");
  assert.match(ran.err, new RegExp(sentence.source, "s"));
  nothingPublished(story);
  return ran;
}

function nothingPublished(story: Story): void {
  assert.deepEqual(story.stored(), []);
  assert.deepEqual(story.spooled(), []);
}
