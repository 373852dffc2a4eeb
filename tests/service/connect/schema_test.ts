import assert from "node:assert/strict";
import type { Json, JsonObject } from "../wire/json.ts";
import { Schemas } from "./schema.ts";

const BIRD = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string" },
    ring: { type: "string", pattern: "^[a-z]{3}$" },
    kind: { type: "string", enum: ["wader", "raptor"] },
    eggs: { type: "integer", minimum: 0, maximum: 9 },
    weight: { type: "number" },
    tame: { type: "boolean" },
    hatched: { type: "string", format: "date-time" },
    photo: { type: "string", format: "byte" },
    page: { type: "string", format: "url" },
    id: { type: "string", format: "uuid" },
    songs: { type: "array", items: { type: "string" }, uniqueItems: true },
    nest: { $ref: "#/components/schemas/Nest" },
    notes: { type: "object" },
  },
};

const schemas = new Schemas({
  components: {
    schemas: {
      Bird: BIRD,
      Nest: { type: "object", properties: { height: { type: "number", description: "m", default: 1 } } },
      Kept: {
        allOf: [{ $ref: "#/components/schemas/Bird" }, {
          type: "object",
          properties: { cage: { type: "string" } },
        }],
      },
    },
  },
});

function problems(value: Json | undefined, name = "Bird"): string[] {
  return schemas.problems({ $ref: `#/components/schemas/${name}` }, value);
}

const WHOLE: JsonObject = {
  name: "Sample",
  ring: "abc",
  kind: "wader",
  eggs: 4,
  weight: 0.5,
  tame: false,
  hatched: "2024-02-29T12:00:00.5+01:00",
  photo: "AAE=",
  page: "https://bird.example/",
  id: "00000000-0000-4000-8000-000000000000",
  songs: ["a", "b"],
  nest: { height: 2 },
  notes: { anything: ["goes"] },
};

Deno.test("what a schema allows is no problem", () => {
  assert.deepEqual(problems(WHOLE), []);
  assert.deepEqual(problems({ name: "" }), []);
  assert.deepEqual(problems({ ...WHOLE, cage: "large" }, "Kept"), []);
});

Deno.test("every way of not being what a schema says is a problem, with its place", () => {
  const wrong: [JsonObject, string][] = [
    [{ name: undefined }, "/name: is missing"],
    [{ name: null }, "/name: is no string"],
    [{ name: ["Sample"] }, "/name: is no string"],
    [{ ring: "ABC" }, '/ring: "ABC" does not match ^[a-z]{3}$'],
    [{ kind: "fish" }, '/kind: "fish" is none of wader, raptor'],
    [{ eggs: 1.5 }, "/eggs: is no integer"],
    [{ eggs: "1" }, "/eggs: is no integer"],
    [{ eggs: -1 }, "/eggs: is below 0"],
    [{ eggs: 10 }, "/eggs: is above 9"],
    [{ weight: "light" }, "/weight: is no number"],
    [{ tame: 0 }, "/tame: is no boolean"],
    [{ hatched: "2024-02-30T25:00:00Z" }, '/hatched: "2024-02-30T25:00:00Z" is no date-time'],
    [{ hatched: "yesterday" }, '/hatched: "yesterday" is no date-time'],
    [{ photo: "AAE" }, '/photo: "AAE" is no byte'],
    [{ page: "bird" }, '/page: "bird" is no url'],
    [{ id: "abc" }, '/id: "abc" is no uuid'],
    [{ songs: {} }, "/songs: is no array"],
    [{ songs: ["a", 1] }, "/songs/1: is no string"],
    [{ songs: ["a", "a"] }, "/songs: holds something twice"],
    [{ nest: [] }, "/nest: is no object"],
    [{ nest: { height: "high" } }, "/nest/height: is no number"],
    [{ nest: { hieght: 1 } }, "/nest/hieght: is not described"],
    [{ wings: 2 }, "/wings: is not described"],
    [{ cage: "large" }, "/cage: is not described"],
  ];
  for (const [change, problem] of wrong) assert.deepEqual(problems({ ...WHOLE, ...change }), [problem]);
  for (const value of [null, "bird", 1, [WHOLE]]) assert.deepEqual(problems(value), ["/: is no object"]);
});

Deno.test("a whole of several parts must be all of them, and nothing that none of them names", () => {
  assert.deepEqual(problems({ cage: "large" }, "Kept"), ["/name: is missing"]);
  assert.deepEqual(problems({ name: "Sample", cage: 1 }, "Kept"), ["/cage: is no string"]);
  assert.deepEqual(problems({ name: "Sample", eggs: "1", wings: 2 }, "Kept"), [
    "/eggs: is no integer",
    "/wings: is not described",
  ]);
});

Deno.test("a schema that asks for more than is checked here is refused, wherever that stands", () => {
  const hidden: JsonObject[] = [
    { oneOf: [] },
    { type: "object", properties: { a: { minLength: 1 } } },
    { type: "array", items: { nullable: true } },
    { allOf: [{ additionalProperties: false }] },
  ];
  for (const schema of hidden) assert.throws(() => schemas.checkKeywords(schema), /is not understood here/);
  assert.throws(() => schemas.checkKeywords({ type: "string", format: "ipv6" }), /"ipv6"/);
  assert.throws(() => schemas.checkKeywords({ $ref: "#/components/schemas/Fish" }), /is not there/);
  assert.throws(() => schemas.checkKeywords({ $ref: "https://other.example/#/Bird" }), /outside of itself/);
  schemas.checkKeywords(BIRD);
});
