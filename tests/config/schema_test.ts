import assert from "node:assert/strict";
import { jsonSchema } from "../../src/config/schema.ts";
import { nearest, slips } from "../../src/base/nearest.ts";
import { registry } from "./fixture.ts";

// deno-lint-ignore no-explicit-any -- a JSON schema is looked at by path
type Json = any;

Deno.test("the JSON schema describes every key in words", () => {
  const schema: Json = jsonSchema(registry);
  assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assert.deepEqual(schema.required, ["version", "jobs"]);
  assert.equal(schema.additionalProperties, false);
  const job = schema.properties.jobs.additionalProperties;
  assert.deepEqual(job.required, ["source", "recipients", "destinations"]);
  assert.deepEqual(Object.keys(job.properties), [
    "source",
    "also",
    "vaults",
    "recipients",
    "compression",
    "destinations",
    "retention",
    "spool",
    "quota",
  ]);
  const described: string[] = [];
  for (const part of [schema, job, job.properties.vaults, job.properties.retention]) {
    for (const [key, value] of Object.entries<Json>(part.properties)) {
      assert.ok(value.description?.length > 5, `${key} has no description`);
      described.push(key);
    }
  }
  assert.ok(described.includes("keepWithin") && described.includes("signers"));
});

Deno.test("the JSON schema holds the plugins' parts, told apart by their type", () => {
  const schema: Json = jsonSchema(registry);
  const { source, also, destinations } = schema.properties.jobs.additionalProperties.properties;
  for (const { oneOf } of [source, also.items]) {
    assert.deepEqual(oneOf.map((one: Json) => one.properties.type.const), ["onepassword-sdk", "onepux"]);
  }
  const local = destinations.items.oneOf.find((one: Json) => one.properties.type.const === "local");
  assert.deepEqual(Object.keys(local.properties).toSorted(), [
    "immutableFor",
    "name",
    "path",
    "prune",
    "read",
    "retention",
    "type",
  ]);
  assert.deepEqual(local.required.toSorted(), ["name", "path", "type"]);
  assert.equal(local.additionalProperties, false);
});

Deno.test("the nearest word is one that was probably meant", () => {
  const known = ["recipients", "retention", "source", "vaults", "s3", "gcs"];
  const cases: [string, string | undefined][] = [
    ["recipient", "recipients"],
    ["RECIPIENTS", "recipients"],
    ["recpiients", "recipients"],
    ["receipiants", "recipients"],
    ["souce", "source"],
    ["soruce", "source"],
    ["valts", "vaults"],
    ["S3", "s3"],
    ["ab", undefined],
    ["x", undefined],
    ["", undefined],
    ["completely", undefined],
    ["r".repeat(100_000), undefined],
  ];
  for (const [word, meant] of cases) assert.equal(nearest(word, known), meant, word);
  assert.equal(nearest("word", []), undefined);
});

Deno.test("slips: added, left out, mistaken, swapped", () => {
  const cases: [string, string, number][] = [["", "", 0], ["", "abc", 3], ["abc", "", 3], ["abc", "abd", 1]];
  cases.push(["abc", "acb", 1], ["abcd", "badc", 2], ["abc", "abxc", 1], ["kitten", "sitting", 3]);
  for (const [from, to, count] of cases) assert.equal(slips(from, to), count, `${from} ${to}`);
});
