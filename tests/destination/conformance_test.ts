/**
 * Every destination against the one suite.
 *
 * `CONFORMANCE_REQUIRED=local,azure-blob` names targets that must run: one that is unknown, or that cannot run
 * on this machine, is then a failure instead of a test that was quietly left out.
 */
import assert from "node:assert/strict";
import { registry } from "../../plugins/mod.ts";
import { destinationCases, lacking } from "../../src/destination/conformance.ts";
import { azureContainer } from "./target_azure_blob.ts";
import { gcsBucket } from "./target_gcs.ts";
import { memory } from "./target_memory.ts";
import { localFolder } from "./target_local.ts";
import { ownPlugin } from "./target_plugin.ts";
import { reference } from "./target_reference.ts";
import { s3Bucket } from "./target_s3.ts";
import { sftpFolder } from "./target_sftp.ts";
import { webdavApache, webdavCareless, webdavLighttpd, webdavRclone } from "./target_webdav.ts";
import type { Target } from "./target.ts";

const targets: readonly Target[] = [
  memory,
  reference,
  localFolder,
  s3Bucket,
  gcsBucket,
  ownPlugin,
  sftpFolder,
  azureContainer,
  webdavApache,
  webdavRclone,
  webdavLighttpd,
  webdavCareless,
];

const ran = new Set<string>();

for (const target of targets) {
  for (const { name, needs, run } of destinationCases) {
    const reasons = needs.flatMap((need) => target.lacks[need as keyof Target["lacks"]] ?? []);
    const left = target.unavailable ?? reasons[0];
    Deno.test({
      name: `${target.name}: ${name}${left === undefined ? "" : ` (left out: ${left})`}`,
      ignore: left !== undefined,
      ...(target.untidy === undefined ? {} : { sanitizeResources: false }),
      async fn() {
        await using harness = await target.start();
        {
          await using destination = await harness.open();
          const lacks = lacking(needs, harness, destination);
          assert.deepEqual(
            lacks,
            [],
            `${target.name} lacks ${lacks} without a reason, and never runs this case`,
          );
        }
        await run(harness);
        ran.add(target.name);
      },
    });
  }
}

Deno.test("what a target lacks has a reason, and a case that would need it", () => {
  const needed = new Set<string>(destinationCases.flatMap(({ needs }) => needs));
  for (const { name, lacks } of targets) {
    for (const [need, reason] of Object.entries(lacks)) {
      assert.ok(needed.has(need), `${name} lacks "${need}", which no case needs`);
      assert.match(reason, /\w+ \w+ \w+/, `${name} lacks "${need}" without a reason`);
    }
  }
});

/** What `required` asks for and did not get; the other suite's names are none of ours. */
function unmet(
  required: string | undefined,
  known: readonly string[],
  done: ReadonlySet<string>,
  others: readonly string[] = [],
): string[] {
  const names = (required ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const elsewhere = (name: string) => others.some((one) => name === one || name.startsWith(`${one}-`));
  return names.filter((name) => !elsewhere(name)).flatMap((name) => {
    if (!known.includes(name)) return [`"${name}" is no target of this suite: ${known}`];
    return done.has(name) ? [] : [`"${name}" was required and did not run`];
  });
}

Deno.test("CONFORMANCE_REQUIRED: every required target ran", () => {
  const others = registry.sources.map(({ type }) => type);
  const known = targets.map(({ name }) => name);
  const why = targets.flatMap(({ name, unavailable }) => unavailable ? [`${name}: ${unavailable}`] : []);
  assert.deepEqual(unmet(Deno.env.get("CONFORMANCE_REQUIRED"), known, ran, others), [], why.join("; "));
});

Deno.test("CONFORMANCE_REQUIRED: unknown and left-out targets are failures, sources are not", () => {
  assert.deepEqual(unmet(undefined, ["a"], new Set()), []);
  assert.deepEqual(unmet("a, b,", ["a", "b"], new Set(["a", "b"])), []);
  assert.deepEqual(unmet("a,b", ["a", "b"], new Set(["a"])), ['"b" was required and did not run']);
  assert.deepEqual(unmet("A,onepux", ["a"], new Set(["a"]), ["onepux"]), [
    '"A" is no target of this suite: a',
  ]);
});

Deno.test("every destination of the registry is tried", () => {
  const known = targets.map(({ name }) => name);
  assert.deepEqual(registry.destinations.map(({ type }) => type).filter((type) => !known.includes(type)), []);
});

Deno.test("the cases have names of their own, and only small ones that need no fault are safe", () => {
  assert.equal(new Set(destinationCases.map(({ name }) => name)).size, destinationCases.length);
  assert.deepEqual(destinationCases.filter(({ safe, slow }) => safe && slow), []);
  const plain = new Set<string>(["read", "list", "remove"]);
  const faulty = destinationCases.filter(({ safe, needs }) => safe && needs.some((need) => !plain.has(need)));
  assert.deepEqual(faulty.map(({ name }) => name), []);
  assert.ok(destinationCases.filter(({ safe }) => safe).length >= 15);
});
