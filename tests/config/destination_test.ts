/** What the house asks of every destination, beside the plugin's own part. */
import assert from "node:assert/strict";
import { registry } from "../../plugins/mod.ts";
import { destinationOptions } from "../../src/config/destination.ts";
import { configSchema } from "../../src/config/schema.ts";
import { phrase } from "../../src/config/issues.ts";

/** The one destination of a config, or the sentences that say what is wrong with it. */
function parsed(destination: Record<string, unknown>) {
  const config = {
    version: 1,
    jobs: {
      acme: {
        source: { type: "onepux", path: "/export.1pux" },
        recipients: ["age1aaa"],
        destinations: [{ name: "cloud", ...destination }],
      },
    },
  };
  const { data, error } = configSchema(registry).safeParse(config, { error: phrase });
  return {
    destination: data?.jobs.acme?.destinations[0],
    problems: (error?.issues ?? []).map(({ path, message }) => `${path.slice(4).join(".")}: ${message}`),
  };
}

const GCS = { type: "gcs", bucket: "acme", prefix: "x/", access: "create-only", keyFile: "/etc/write.json" };
const S3 = {
  type: "s3",
  bucket: "acme",
  endpoint: "https://s3.example/",
  accessKeyId: "WRITER",
  secretAccessKey: "file:/etc/writer",
};

Deno.test("settings for reading and pruning take the place of the others, and nothing else changes", () => {
  const { destination, problems } = parsed({
    ...GCS,
    read: { keyFile: "/etc/read.json" },
    prune: { keyFile: "credential:prune", timeout: "5m" },
  });
  assert.deepEqual(problems, []);
  const own = { bucket: "acme", prefix: "x/", endpoint: "https://storage.googleapis.com" };
  assert.deepEqual(destinationOptions(destination!), {
    ...own,
    access: "create-only",
    keyFile: "/etc/write.json",
  });
  assert.deepEqual(destinationOptions(destination!, "read"), {
    ...own,
    access: "full",
    keyFile: "/etc/read.json",
  });
  assert.deepEqual(destinationOptions(destination!, "prune"), {
    ...own,
    access: "full",
    keyFile: "credential:prune",
    timeout: "5m",
  });
  const alone = parsed(GCS).destination!;
  assert.deepEqual(destinationOptions(alone, "read"), destinationOptions(alone));
  assert.equal(destinationOptions(alone, "prune").access, "create-only");
});

Deno.test("settings for reading are checked as strictly as the others, and together with them", () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [
      { ...GCS, read: { keyfile: "/etc/read.json" } },
      /^read: unknown key "keyfile" \(did you mean "keyFile"\?\)$/,
    ],
    [{ ...GCS, read: { access: "full" } }, /^read: unknown key "access"$/],
    [{ ...GCS, read: { keyFile: "read.json" } }, /^read\.keyFile: /],
    [{ ...GCS, read: {} }, /^read: says nothing/],
    [{ ...GCS, prune: "x" }, /^prune: must be a mapping, not text$/],
    [{ ...GCS, read: { read: { keyFile: "/etc/x" } } }, /^read: unknown key "read"$/],
    [{ ...S3, read: { profile: "reader" } }, /^read\.profile: is given besides an accessKeyId$/],
    [{ type: "local", path: "/srv", read: { path: "srv" } }, /^read\.path: must be an absolute path/],
  ];
  for (const [given, sentence] of cases) {
    const { problems } = parsed(given);
    assert.equal(problems.length, 1, `${JSON.stringify(given)}: ${problems}`);
    assert.match(problems[0]!, sentence);
  }
  const reader = { accessKeyId: "READER", secretAccessKey: "file:/etc/reader" };
  const { destination, problems } = parsed({ ...S3, read: reader });
  assert.deepEqual(problems, []);
  assert.equal(destinationOptions(destination!, "read").accessKeyId, "READER");
  assert.equal(destinationOptions(destination!, "read").endpoint, "https://s3.example");
});

Deno.test("a lock is a duration, and refused where the kind of destination has none", () => {
  for (const immutableFor of ["36h", "30d", "8w", "1y"]) {
    assert.deepEqual(parsed({ ...GCS, immutableFor }).problems, []);
    assert.deepEqual(parsed({ ...S3, immutableFor }).problems, []);
  }
  for (const immutableFor of ["30", "0d", "30 days", "5m", "1.5d", "-1d"]) {
    const { problems } = parsed({ ...GCS, immutableFor });
    assert.deepEqual(problems, ["immutableFor: is not a duration such as 36h, 30d, 8w or 1y"]);
  }
  assert.deepEqual(parsed({ type: "local", path: "/srv", immutableFor: "30d" }).problems, [
    'immutableFor: is nothing that "local" can do: it cannot lock what it stores against removal',
  ]);
});

Deno.test("the same place is one copy, whatever its locks and other credentials", () => {
  const config = (second: Record<string, unknown>) => ({
    version: 1,
    jobs: {
      acme: {
        source: { type: "onepux", path: "/export.1pux" },
        recipients: ["age1aaa"],
        destinations: [{ name: "a", ...GCS }, { name: "b", ...GCS, ...second }],
      },
    },
  });
  for (
    const second of [{ immutableFor: "30d" }, { read: { keyFile: "/etc/read.json" } }, {
      keyFile: "/etc/other.json",
      timeout: "5m",
    }]
  ) {
    const { error } = configSchema(registry).safeParse(config(second));
    assert.match(String(error), /is the same place as .{0,3}a/, JSON.stringify(second));
  }
  for (const second of [{ prefix: "b/" }, { endpoint: "https://storage.example.com" }, { bucket: "other" }]) {
    assert.ok(configSchema(registry).safeParse(config(second)).success, JSON.stringify(second));
  }
});

Deno.test("what says where a destination is, is a setting of it", () => {
  for (const { type, place, config } of registry.destinations) {
    if (type === "plugin") assert.equal(place, undefined, "of a stranger's settings all count");
    else assert.ok(place?.every((name) => name in config.shape), type);
  }
});
