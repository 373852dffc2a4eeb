/** What answers of services mean, and what is shown of them. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/base/errors.ts";
import { refusalOf, refuseWebPage, retryAfterOf } from "../../src/destination/http/refusal.ts";
import { failure } from "../base/failure.ts";

const NOW = new Date("2026-02-03T04:05:06Z");
const CONTEXT = { what: "acme/archive.age", place: 'the bucket "x"', now: NOW };

const azure = (code: string, message: string) =>
  `\ufeff<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>${code}</Code><Message>${message}\nRequestId:1\nTime:2</Message></Error>`;
const google = (reason: string, message: string) =>
  JSON.stringify({ error: { code: 403, message, errors: [{ reason, message, domain: "global" }] } });

async function judged(status: number, body = "", headers: HeadersInit = {}, changes = {}) {
  const error = await refusalOf(new Response(status === 304 ? null : body, { status, headers }), {
    ...CONTEXT,
    ...changes,
  });
  await failure(Promise.reject(error), error.code); // the house's voice
  return error;
}

Deno.test("what a status means", async () => {
  const meanings: [ErrorCode, number[]][] = [
    ["misconfigured", [300, 301, 302, 307, 308, 407]],
    ["denied", [401, 403]],
    ["not-found", [404, 410]],
    ["already-exists", [409, 412]],
    ["quota", [413, 507]],
    ["unsupported", [405, 501, 505]],
    ["transient", [408, 423, 425, 429, 500, 502, 503, 504, 520, 599]],
    ["unknown", [400, 402, 406, 411, 414, 415, 416, 417, 422]],
  ];
  for (const [code, statuses] of meanings) {
    for (const status of statuses) assert.equal((await judged(status)).code, code, String(status));
  }
});

Deno.test("what a service says in its own words goes before its status", async () => {
  const words: [ErrorCode, number, string][] = [
    ["transient", 403, google("rateLimitExceeded", "Slow down")],
    ["transient", 403, google("userRateLimitExceeded", "Slow down")],
    ["transient", 400, azure("RequestTimeout", "Too slow")],
    ["transient", 400, azure("SlowDown", "Reduce your rate")],
    ["transient", 429, google("quotaExceeded", "Quota exceeded for requests per minute")],
    ["quota", 403, google("quotaExceeded", "The bucket is full")],
    ["quota", 400, "<d:error><s:message>Insufficient storage space</s:message></d:error>"],
    ["denied", 403, azure("AuthorizationPermissionMismatch", "Not authorized")],
  ];
  for (const [code, status, body] of words) assert.equal((await judged(status, body)).code, code, body);
  const codes = { NoSuchBucket: "misconfigured", ConditionalRequestConflict: "transient" } as const;
  assert.equal((await judged(404, azure("NoSuchBucket", "Gone"), {}, { codes })).code, "misconfigured");
  assert.equal((await judged(404, azure("NoSuchKey", "Gone"), {}, { codes })).code, "not-found");
  assert.equal(
    (await judged(409, azure("ConditionalRequestConflict", "Busy"), {}, { codes })).code,
    "transient",
  );
  assert.equal((await judged(409, "", {}, { statuses: { 409: "misconfigured" } })).code, "misconfigured");
  assert.equal(
    (await judged(404, "", { "x-ms-error-code": "ContainerNotFound" }, {
      codes: { ContainerNotFound: "misconfigured" },
    })).code,
    "misconfigured",
  );
});

Deno.test("sentences name what was asked for, and the service's own word", async () => {
  const said = async (...args: Parameters<typeof judged>) => (await judged(...args)).message;
  assert.equal(await said(404), 'there is no "acme/archive.age"');
  assert.equal(await said(412), '"acme/archive.age" exists already');
  assert.equal(
    await said(403, azure("AuthorizationFailure", "This request is not authorized.")),
    'the credentials do not allow this for "acme/archive.age" (403 AuthorizationFailure: this request is not authorized)',
  );
  assert.match(await said(401), /does not accept the credentials/);
  assert.match(await said(507), /there is no space left for "acme\/archive.age"/);
  assert.match(await said(413), /takes no file as large as/);
  assert.match(
    await said(404, azure("NoSuchBucket", "Gone."), {}, { codes: { NoSuchBucket: "misconfigured" } }),
    /^the bucket "x" does not exist \(404 NoSuchBucket: gone\)$/,
  );
  assert.match(await said(503, "<html>\n<body>busy</body>"), /^the service cannot do it now \(503\)$/);
});

Deno.test("no secret of an answer is shown, and nothing that could forge a line", async () => {
  const leaks = [
    azure(
      "AuthenticationFailed",
      "Signature of https://me:made-up@x.blob/c/b?sv=1&amp;sig=made-up%3D did not match",
    ),
    azure("Made Up made-up", "https://s3.example/k?X-Amz-Signature=made-up&X-Amz-Credential=made-up"),
    google("forbidden", "Authorization: Bearer made-up-token"),
    google("forbidden", "line one\nmade-up line two"),
    `<Error><Message>${"x".repeat(5000)}made-up</Message></Error>`,
  ];
  for (const body of leaks) {
    const { message, hint } = await judged(403, body);
    assert.doesNotMatch(`${message} ${hint}`, /made-up/, body);
    assert.ok(message.length < 600);
  }
});

Deno.test("Retry-After in seconds and as a date", async () => {
  const after = async (text: string) => (await judged(503, "", { "retry-after": text })).retryAfter;
  assert.equal(await after("7"), 7);
  assert.equal(await after(" 1.2 "), 2);
  assert.equal(await after("Tue, 03 Feb 2026 04:07:06 GMT"), 120);
  assert.equal(await after("Tue, 03 Feb 2026 04:00:00 GMT"), 0);
  assert.equal(await after("soon"), undefined);
  assert.equal(retryAfterOf(new Headers(), NOW), undefined);
});

Deno.test("a wrong clock is told as such", async () => {
  const ahead = { date: "Tue, 03 Feb 2026 03:35:06 GMT" };
  assert.match((await judged(403, "", ahead)).hint!, /clock of this machine is 30 minutes ahead/);
  assert.match((await judged(401, "", { date: "Tue, 03 Feb 2026 05:05:06 GMT" })).hint!, /60 minutes behind/);
  assert.match(
    (await judged(403, azure("RequestTimeTooSkewed", "x"))).hint!,
    /clock of this machine is wrong/,
  );
  assert.doesNotMatch((await judged(403, "", { date: NOW.toUTCString() })).hint!, /clock/);
  assert.equal((await judged(404, "", ahead)).hint, undefined);
});

Deno.test("a web page is no answer, whatever its status", async () => {
  const page = (type: string) =>
    new Response("<p>Welcome", { status: 200, headers: { "content-type": type } });
  await failure(() => refuseWebPage(page("text/html; charset=utf-8")), "transient", /a web page \(200\)/);
  refuseWebPage(page("application/json"));
  refuseWebPage(new Response(null, { status: 201 }));
});

Deno.test("an answer whose body breaks off is judged by its status; a cancel stays a cancel", async () => {
  const breaking = (error: unknown) =>
    new Response(new ReadableStream({ pull: (controller) => controller.error(error) }), { status: 403 });
  assert.equal((await refusalOf(breaking(new Error("cut")), CONTEXT)).code, "denied");
  const endless = new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }),
    { status: 500 },
  );
  assert.equal((await refusalOf(endless, CONTEXT)).code, "transient");
});
