import assert from "node:assert/strict";
import { story } from "./harness.ts";

story(
  "checking the config finds every secret that a run would not get, and reads none",
  {},
  async (story) => {
    story.files.read = (path) => {
      assert.notEqual(path, story.token);
      return Deno.readFile(path);
    };
    await story.runs(0, "config", "check");
    const other = story.config.jobs.other = structuredClone(story.job);
    const wrong: [token: unknown, code: number, told: RegExp][] = [
      [
        "file:~/tok",
        2,
        /jobs\.other\.source\.token: the path of a secret's file must be absolute: file:\/…\n.*hint: neither ~/,
      ],
      ["file:tok", 2, /must be absolute/],
      [
        `file:${story.at("host/none")}`,
        2,
        /jobs\.other\.source\.token: cannot resolve ".*none": it does not exist\n/,
      ],
      [`file:${story.at("host")}`, 2, /is not a regular file/],
      ["credential:a/b", 2, /has no path in it/],
      [
        "credential:op-token",
        0,
        /not looked at: jobs\.other\.source\.token: the credential "op-token", which systemd/,
      ],
      ["env:NOT_SET_HERE", 0, /not looked at: .*"NOT_SET_HERE", which is not set here/],
      [
        { command: ["/nowhere/pass", "show"] },
        0,
        /not looked at: .*what the command "\/nowhere\/pass" writes/,
      ],
    ];
    for (const [token, code, told] of wrong) {
      other.source.token = token;
      const { out, err } = await story.runs(code, "config", "check");
      assert.match(out + err, told);
      assert.equal(/: good, 2 jobs\n/.test(out), code === 0);
    }
    // All of them at once.
    Deno.chmodSync(story.token, 0o640);
    other.source.token = "file:~/tok";
    const { err } = await story.runs(2, "config", "check");
    assert.match(
      err,
      /jobs\.acme\.source\.token: other users may use the secret in ".*token"\nvaultferry: hint: chmod 600 /,
    );
    assert.match(err, /jobs\.other\.source\.token: the path/);
    const { lines, summary } = await story.runs(2, "config", "check", "--json");
    assert.equal(lines.filter(({ event }) => event === "error").length, 2);
    assert.equal(summary.error.code, "misconfigured");
    assert.equal(story.service.requests.total(), 0);
  },
);
