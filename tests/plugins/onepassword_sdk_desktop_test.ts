import assert from "node:assert/strict";
import { LIBRARIES } from "../../plugins/sources/onepassword_sdk/desktop/library.ts";
import { sdkPlugin } from "../../plugins/sources/onepassword_sdk/mod.ts";
import { DesktopApp } from "../service/desktop/mod.ts";
import { bigAccount, sampleAccount } from "../service/mod.ts";
import { checkRestored } from "../stories/compare.ts";
import { type Line, type Story, story, type StoryOptions } from "../stories/harness.ts";

const ACCOUNT = "Sample family";

/** A story about a person's machine with the 1Password app on it. */
function desktop(
  name: string,
  options: StoryOptions,
  tell: (story: Story, app: DesktopApp) => Promise<void>,
) {
  story(name, options, async (story) => {
    await using app = await DesktopApp.start(story.service, ACCOUNT);
    useLibrary(story, app.library);
    await tell(story, app);
  });
}

function useLibrary(story: Story, ...paths: string[]): void {
  story.registry.sources = [sdkPlugin({ ...LIBRARIES, linux: paths })];
  story.job.source = { type: "onepassword-sdk", desktop: { account: ACCOUNT } };
}

desktop("everything comes through the app: items, files, personal vaults, after one prompt", {
  account: sampleAccount(),
}, async (story, app) => {
  const { lines } = await story.runs(0, "backup", "--json");
  assert.equal(lines.find(({ event }) => event === "sealed")!.outcome, "complete");
  assert.equal(app.prompts, 1);
  assert.deepEqual(new Set(app.messages.map(({ account }) => account)), new Set([ACCOUNT]));
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  await checkRestored(story.service, story.at("restored/all"));
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(story.at("restored/all/account.json"))), {
    name: ACCOUNT,
  });
  const everyday = story.service.account.vault("Everyday");
  const vault = JSON.parse(Deno.readTextFileSync(story.at(`restored/all/vaults/${everyday.id}/vault.json`)));
  assert.equal(vault.kind, "personal");

  const limits = lines.filter(({ event }) => event === "door-limit");
  assert.deepEqual(limits.map(({ reason }) => reason), [
    "personal-vaults",
    "passkeys",
    "password-history",
    "form-details",
  ]);
  assert.match(limits[0]!.detail, /Employee vaults of others/);
  assert.doesNotMatch(limits[0]!.detail, /service account/);
});

desktop("files of up to 3 MiB come through the app unchanged", {
  account: bigAccount({ vaults: 1, items: 4, files: 3, fileSize: 3 * 1024 * 1024 + 1 }),
}, async (story) => {
  await story.runs(0, "backup");
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  await checkRestored(story.service, story.at("restored/all"));
});

desktop("where nobody is there to ask, a warning says so", {}, async (story) => {
  const { err } = await story.runs(0, "backup");
  assert.match(err, /warning: this job signs in through the 1Password app, which asks a person each time/);
});

desktop("a person may take longer than any request, and is reminded", {}, async (story, app) => {
  story.interactive = true;
  story.job.source.timeout = 0.5;
  app.hesitates = 1500;
  const { err } = await story.runs(0, "backup");
  assert.match(err, /warning: waiting for the 1Password app: approve its prompt/);
  assert.doesNotMatch(err, /asks a person/);
  assert.equal(app.prompts, 1);
});

desktop("a person who says no is asked once", {}, async (story, app) => {
  app.approves = false;
  const { err } = await story.runs(13, "backup");
  assert.match(err, /error: the 1Password app refused the sign-in: the authorization request was denied\n/);
  assert.match(err, /hint: approve its prompt, and check that desktop: \{account\}/);
  assert.equal(app.prompts, 1);
  nothingPublished(story);
});

desktop("an account that the app does not know is refused", {}, async (story, app) => {
  story.job.source.desktop.account = "Another";
  const { err } = await story.runs(13, "backup");
  assert.match(err, /error: the 1Password app refused the sign-in: no account with that name\n/);
  assert.equal(app.prompts, 1);
});

for (const route of ["items/overviews", "items/batch"] as const) {
  desktop(`a session that ends with ${route} is begun anew once for all calls that overlap, without loss`, {
    account: bigAccount({ vaults: 2, items: 400, files: 8, fileSize: 1000 }),
  }, async (story, app) => {
    app.hesitates = 100;
    const once = story.service.onRequest(route, () => {
      once();
      app.endSessions();
    });
    const { lines } = await story.runs(0, "backup", "--json");
    assert.deepEqual(gapsOf(lines), []);
    assert.equal(app.prompts, 2);
    await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
    await checkRestored(story.service, story.at("restored/all"));
  });
}

desktop("a person who says no in between costs the rest, and is not asked again", {
  account: bigAccount({ vaults: 3, items: 300, files: 0 }),
}, async (story, app) => {
  let lists = 0;
  story.service.onRequest("items/overviews", () => {
    if (++lists < 2) return;
    app.approves = false;
    app.endSessions();
  });
  const { lines } = await story.runs(3, "backup", "--json");
  const gaps = gapsOf(lines);
  assert.deepEqual(gaps.map(({ reason }) => reason), ["unreadable-vault", "unreadable-vault"]);
  for (const { detail } of gaps) assert.match(detail, /the 1Password app refused the sign-in/);
  assert.equal(app.prompts, 2);
  await story.runs(0, "verify", "--identity", story.key);
});

desktop(
  "a session that ends again right after a sign-in is not begun a third time",
  {},
  async (story, app) => {
    const error = { name: "DesktopSessionExpired", message: "the session has expired" };
    app.faultOn("invoke", { error }, { call: "VaultsList" });
    const { err } = await story.runs(13, "backup");
    assert.match(
      err,
      /error: the 1Password app has ended the session\nvaultferry: hint: keep the app unlocked/,
    );
    assert.equal(app.prompts, 2);
  },
);

desktop("an app that lets no program in is a fault of its settings", {}, async (story, app) => {
  const message = "desktop app connection channel is closed. Make sure Integrate with other apps is enabled";
  app.faultOn("init_client", { error: { name: "Internal", message } });
  const { err } = await story.runs(2, "backup");
  assert.match(err, /error: cannot reach the 1Password app: desktop app connection channel is closed/);
  assert.match(
    err,
    /hint: open the 1Password app, .* Settings > Developer > Integrate with the 1Password SDKs/,
  );
  assert.equal(app.prompts, 1);
});

desktop("an app that never answers a request is given up, and the backup waits for another day", {}, async (
  story,
  app,
) => {
  story.job.source.timeout = 0.3;
  app.faultOn("invoke", "silence");
  const { err } = await story.runs(75, "backup");
  assert.match(
    err,
    /error: cannot reach the 1Password app: no answer within 0\.3 s\n.*hint: keep the app open/,
  );
  assert.equal(app.messages.filter(({ kind }) => kind === "invoke").length, 3, "it was tried three times");
  nothingPublished(story);
});

desktop("an app that falls silent in between costs what it did not give", {
  account: bigAccount({ vaults: 1, items: 60, files: 4, fileSize: 1000 }),
}, async (story, app) => {
  story.job.source.timeout = 0.1; // a tenth of what a file may take
  app.faultOn("invoke", "silence", { call: "ItemsFilesRead" });
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual(gapsOf(lines).map(({ reason }) => reason), Array(4).fill("unreadable-file"));
});

desktop("a quota that the app reports is a quota", {}, async (story, app) => {
  app.faultOn("invoke", { error: { name: "RateLimitExceeded", message: "rate limit exceeded" } });
  await story.runs(14, "backup");
  nothingPublished(story);
});

desktop("what goes wrong between the app and 1Password is told from its words", {
  account: bigAccount({ vaults: 1, items: 120, files: 0 }),
}, async (story) => {
  const { faults, account: { vaults: [vault] } } = story.service;
  const inBatch = (at: number) => vault!.items[at * 50 + 7]!.id;
  const down = faults.status("items/batch", 503, { id: inBatch(0), times: 1 });
  const cut = faults.cut("items/batch", { id: inBatch(1), times: 1 });
  const forbidden = faults.status("items/batch", 403, { id: inBatch(2) });
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual([down.strikes, cut.strikes, forbidden.strikes], [1, 1, 3]);
  assert.deepEqual(gapsOf(lines).map(({ itemId, detail }) => [itemId, detail]), [
    [inBatch(2), "1Password does not allow this account to read that"],
  ]);
});

desktop("an app whose own sign-in 1Password no longer accepts is a refusal", {}, async (story) => {
  story.service.onRequest("vaults/list", () => story.service.account.revokeToken());
  const { err } = await story.runs(13, "backup");
  assert.match(err, /error: 1Password no longer accepts the sign-in of the 1Password app\n/);
});

const NONSENSE: Record<string, string | Uint8Array> = {
  "no JSON": "<html>hello</html>",
  "nothing": "",
  "null": "null",
  "no payload": '{"success":true}',
  "a text for a payload": '{"success":true,"payload":"1"}',
  "numbers that are no bytes": '{"success":true,"payload":[1,256]}',
  "a list that ends early": '{"success":true,"payload":[1,2',
  "bytes that are no JSON": '{"success":true,"payload":[60,104]}',
  "bytes that are no text": new Uint8Array([0xff, 0xfe, 0x00]),
};

for (const [what, raw] of Object.entries(NONSENSE)) {
  desktop(`answers of the app that make no sense end in an error: ${what}`, {}, async (story, app) => {
    app.faultOn("invoke", { raw });
    const { err } = await story.runs(1, "backup");
    assert.match(err, /error: .*(1Password app gave an answer that makes no sense|SDK answered)/);
    nothingPublished(story);
  });
}

for (const what of ["no JSON", "no payload"]) {
  desktop(`a sign-in that ends in nonsense is no refusal: ${what}`, {}, async (story, app) => {
    app.faultOn("init_client", { raw: NONSENSE[what]! });
    const { err } = await story.runs(1, "backup");
    assert.match(err, /error: the 1Password app gave an answer that makes no sense: its answer/);
    assert.equal(app.prompts, 1);
  });
}

story("the config names a token or the app, and not both", {}, async (story) => {
  const { token } = story.job.source;
  const check = async (source: Line, sentence: RegExp) => {
    story.job.source = { type: "onepassword-sdk", ...source };
    const { err } = await story.runs(2, "config", "check");
    assert.match(err, sentence);
  };
  await check({}, /needs either token: or desktop:, and not both/);
  await check({ token, desktop: { account: "x" } }, /needs either token: or desktop:, and not both/);
  await check({ desktop: {} }, /account/);
  await check({ desktop: { account: "" } }, /account/);
});

function gapsOf(lines: Line[]): Line[] {
  return lines.filter((line) => line.event === "shortfall" && line.shortfall === "gap");
}

function nothingPublished(story: Story): void {
  assert.deepEqual(story.stored(), []);
  assert.deepEqual(story.spooled(), []);
}
