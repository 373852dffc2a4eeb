import assert from "node:assert/strict";
import {
  type ArchiveName,
  archiveParts,
  formatArchiveName,
  JOB_NAME,
  parseArchiveName,
} from "../../src/model/archive_name.ts";

const NAME: ArchiveName = {
  job: "acme",
  time: new Date("2026-02-03T04:05:06Z"),
  nonce: "0123abcd",
  compression: "zstd",
};
const TEXT = "acme_20260203T040506Z_0123abcd.tar.zst.age";

Deno.test("a name is made of job, time and nonce, and comes back as it was", () => {
  assert.equal(formatArchiveName(NAME), TEXT);
  const names: ArchiveName[] = [
    NAME,
    { ...NAME, compression: "gzip" },
    { ...NAME, job: "a" },
    { ...NAME, job: `-${"x".repeat(38)}9` },
    { ...NAME, time: new Date("1970-01-01T00:00:00Z") },
    { ...NAME, time: new Date("2024-02-29T23:59:59Z") },
    { ...NAME, time: new Date("9999-12-31T23:59:59Z") },
    { ...NAME, nonce: "ffffffff" },
  ];
  for (const name of names) assert.deepEqual(parseArchiveName(formatArchiveName(name)), name);
  assert.ok(formatArchiveName({ ...NAME, compression: "gzip" }).endsWith("_0123abcd.tar.gz.age"));
});

Deno.test("parts of a second are not part of a name", () => {
  assert.equal(formatArchiveName({ ...NAME, time: new Date("2026-02-03T04:05:06.999Z") }), TEXT);
});

Deno.test("names sort by time within a job", () => {
  const times = [
    "2025-12-31T23:59:59Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:01Z",
    "2026-10-01T00:00:00Z",
  ];
  const names = times.map((time) => formatArchiveName({ ...NAME, time: new Date(time) }));
  assert.deepEqual([...names].reverse().sort(), names);
});

const NOT_OURS = [
  "",
  "HOW-TO-OPEN.txt",
  `${TEXT}.sha256`,
  `${TEXT}\n`,
  ` ${TEXT}`,
  `x/${TEXT}`,
  `../${TEXT}`,
  TEXT.toUpperCase(),
  TEXT.replace("acme", "Acme"),
  TEXT.replace("acme", ""),
  TEXT.replace("acme", "a_b"),
  TEXT.replace("acme", "a.b"),
  TEXT.replace("acme", "a/b"),
  TEXT.replace("acme", "a\\b"),
  TEXT.replace("acme", "a\0b"),
  TEXT.replace("acme", "\u00e4"),
  TEXT.replace("acme", "x".repeat(41)),
  TEXT.replace("20260203", "20260230"),
  TEXT.replace("20260203", "20250229"),
  TEXT.replace("20260203", "20261301"),
  TEXT.replace("20260203", "20260200"),
  TEXT.replace("20260203", "2026203"),
  TEXT.replace("20260203", "\u0662\u0660\u0662\u0666\u0660\u0662\u0660\u0663"),
  TEXT.replace("040506", "240000"),
  TEXT.replace("040506", "046006"),
  TEXT.replace("040506", "235960"),
  TEXT.replace("040506", "0405"),
  TEXT.replace("T", "t"),
  TEXT.replace("Z", ""),
  TEXT.replace("0123abcd", "0123ABCD"),
  TEXT.replace("0123abcd", "0123abc"),
  TEXT.replace("0123abcd", "0123abcde"),
  TEXT.replace("0123abcd", "0123abcg"),
  TEXT.replace(".zst", ".xz"),
  TEXT.replace(".zst", ""),
  TEXT.replace(".age", ""),
  TEXT.replace(".age", ".age.partial"),
  TEXT.replace(".tar", "xtar"),
];

for (const text of NOT_OURS) {
  Deno.test(`${JSON.stringify(text.slice(0, 60))} is no archive name of ours`, () => {
    assert.equal(parseArchiveName(text), undefined);
  });
}

Deno.test("the files of one archive are told in the order of their upload, the signature last", () => {
  assert.deepEqual(Object.values(archiveParts(TEXT)), [
    TEXT,
    `${TEXT}.sha256`,
    `${TEXT}.manifest.json`,
    `${TEXT}.manifest.json.sig`,
  ]);
});

Deno.test("a job's name is 1 to 40 small letters, digits and dashes", () => {
  for (const name of ["a", "acme-2", "x".repeat(40), "-", "0"]) assert.match(name, JOB_NAME);
  for (const name of ["", "A", "a b", "a_b", "a/b", "..", "x".repeat(41), "\u00e4", "a\n"]) {
    assert.doesNotMatch(name, JOB_NAME);
  }
});
