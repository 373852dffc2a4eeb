import assert from "node:assert/strict";
import { type Story, story } from "./harness.ts";

story(
  "1Password that is down is worth another try later, in words that people understand",
  {},
  async (story) => {
    await story.service.close();
    const { err } = await later(story, /error: cannot reach 1Password: .*[Cc]onnection refused/);
    assert.match(err, /hint: check the network, a proxy or firewall/);
    assert.equal(story.naps.length, 2, "it was tried three times");
  },
);

story("TLS to a port that speaks none is a network failure, not a refusal", {}, async (story) => {
  const address = story.service.url.replace("http:", "https:");
  await story.writeToken(story.service.token({ signInAddress: address }));
  await later(story, /error: cannot reach 1Password: /);
});

story("a name that does not resolve is a network failure, not a refusal", {}, async (story) => {
  await story.writeToken(story.service.token({ signInAddress: "https://vaultferry.invalid" }));
  await later(story, /error: cannot reach 1Password: /);
});

for (const route of ["auth/start", "items/batch"] as const) {
  story(`1Password that accepts ${route} and never answers cannot hang a backup`, {}, async (story) => {
    story.job.source.timeout = 0.5;
    story.service.faults.hang(route);
    const start = performance.now();
    await later(story, /error: cannot reach 1Password: no answer within 0\.5 s/);
    assert.ok(performance.now() - start < 20_000);
    story.service.faults.clear();
    await story.runs(0, "backup");
  });
}

const ROUTES = [
  "auth/start",
  "auth/complete",
  "vaults/list",
  "items/overviews",
  "items/batch",
  "file/read",
] as const;

for (const route of ROUTES) {
  story(`${route} that fails once, breaks off once and then answers costs nothing`, {}, async (story) => {
    const headers = { "retry-after": "1" };
    const failed = story.service.faults.status(route, 503, { times: 1, headers });
    const cut = story.service.faults.cut(route, { times: 1, after: 1 });
    const { lines } = await story.runs(0, "backup", "--json");
    assert.deepEqual([failed.strikes, cut.strikes], [1, 1]);
    assert.equal(lines.find((line) => line.event === "sealed")!.counts.gaps, 0);
    await story.runs(0, "verify", "--identity", story.key);
  });
}

story("a service that fails twice and then answers costs nothing", {}, async (story) => {
  // Of the sign-in only the first step: its tries begin anew with each failure.
  const routes = ROUTES.filter((route) => route !== "auth/complete");
  const faults = routes.map((route) => story.service.faults.status(route, 503, { times: 2 }));
  await story.runs(0, "backup");
  assert.deepEqual(faults.map(({ strikes }) => strikes), routes.map(() => 2));
});

story("a service that asks for a long pause is left alone until later", {}, async (story) => {
  story.service.faults.status("auth/start", 503, { headers: { "retry-after": "3600" } });
  await later(story, /answers with an error of its own \(HTTP 503\)/);
  assert.equal(story.service.requests.total(), 1);
});

for (const route of ["auth/start", "vaults/list", "items/overviews", "items/batch"] as const) {
  story(`a quota that ends at ${route}, before all items, publishes nothing`, {}, async (story) => {
    story.service.faults.quotaUsedUp({ after: 0, route });
    const { err } = await story.runs(14, "backup");
    assert.match(
      err,
      /error: 1Password's quota for this account or token is used up\nvaultferry: hint: wait for it to renew/,
    );
    nothingPublished(story);
    assert.equal(story.service.requests.count(route), 1, "429 is never tried again");
  });
}

story("a quota that ends in the second vault publishes nothing", {}, async (story) => {
  story.service.faults.quotaUsedUp({ after: 1, route: "items/batch" });
  await story.runs(14, "backup");
  nothingPublished(story);
});

story("a quota that ends after all items costs files, each named by its id, and no further call", {
  account: {
    name: "Files",
    vaults: [{
      title: "V",
      items: [..."abcdefghijkl"].map((title) => ({
        title,
        files: [{ name: `file-of-${title}`, content: title }],
      })),
    }],
  },
}, async (story) => {
  story.service.faults.quotaUsedUp({ after: 1, route: "file/read" });
  const { lines, summary } = await story.runs(3, "backup", "--json");
  assert.equal(summary.jobs[0].outcome, "incomplete");
  const items = story.service.account.vault("V").items;
  const gaps = lines.filter((line) => line.event === "shortfall");
  const files = new Map(items.map((item) => [item.id, item.file(`file-of-${item.title}`).id]));
  for (const { shortfall, reason, itemId, fileId } of gaps) {
    assert.deepEqual([shortfall, reason, fileId], ["gap", "quota", files.get(itemId)]);
    files.delete(itemId);
  }
  // One was read. Up to four are asked for at the same time, and after the first refusal no more.
  assert.equal(files.size, 1);
  assert.ok(story.service.requests.count("file/read") <= 1 + 4);
  const { out } = await story.runs(3, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  assert.match(out, /this backup is incomplete: 11 gaps/);
  assert.match(
    (await story.runs(0, "verify", "--identity", story.key)).out,
    /good, incomplete, opened: 12 items, 1 file\n/,
  );
});

/** The run ends with 75 and has left nothing behind. */
async function later(story: Story, sentence: RegExp): Promise<{ err: string }> {
  const ran = await story.runs(75, "backup");
  assert.match(ran.err, sentence);
  nothingPublished(story);
  return ran;
}

function nothingPublished(story: Story): void {
  assert.deepEqual(story.stored(), []);
  assert.deepEqual(story.spooled(), []);
}

story("a captive portal's web page is no refusal: the token is kept, the backup waits", {}, async (story) => {
  const page = { body: "<html>please sign in to our wifi</html>", headers: { "content-type": "text/html" } };
  story.service.faults.status("auth/start", 200, page);
  await later(story, /error: cannot reach 1Password: a web page answered in its place/);
  story.service.faults.clear();
  await story.runs(0, "backup");
});
