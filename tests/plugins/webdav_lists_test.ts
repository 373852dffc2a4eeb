/** Lists that are none: cut, empty, of somebody else, or with something in them that cannot be told of. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/base/errors.ts";
import { Answers, fails, keysOf, multistatus, never, Openings, response } from "./webdav_place.ts";

/** What `list` of everything comes to when the folder `/dav/` is told of like this. */
async function listed(text: string, status = 207, type = "application/xml") {
  await using server = new Answers(() => new Response(text, { status, headers: { "content-type": type } }));
  await using openings = new Openings();
  const destination = await openings.open({ url: `${server.origin}/dav/`, auth: "basic" });
  const keys = await keysOf(destination, "");
  return keys.sort();
}

const SELF = response("/dav/"), ONE = response("/dav/one", 1), TWO = response("/dav/two", 2);
const WHOLE = multistatus(SELF, ONE, TWO);

Deno.test("webdav: a list as it should be, in whatever words", async () => {
  const both = ["one", "two"];
  assert.deepEqual(await listed(WHOLE), both);
  assert.deepEqual(await listed(multistatus(ONE, TWO, SELF)), both, "in any order");
  assert.deepEqual(
    await listed(WHOLE.replaceAll("<D:", "<").replaceAll("</D:", "</").replace(":D=", "=")),
    both,
  );
  assert.deepEqual(
    await listed(
      WHOLE.replaceAll("D:", "a.b-c:").replace("xmlns:a.b-c:", "xmlns:D")
        .replace("xmlns:D=", "xmlns:a.b-c="),
    ),
    both,
    "with any prefix",
  );
  assert.deepEqual(
    await listed(WHOLE.replace("/dav/one", "http://127.0.0.1:1/dav/%6fne")),
    both,
    "addresses",
  );
  assert.deepEqual(await listed(WHOLE.replace("/dav/one", "<![CDATA[/dav/one]]>")), both);
  assert.deepEqual(await listed(WHOLE.replaceAll("HTTP/1.1 200 OK", "HTTP/2 200")), both);
  const missing = "<D:propstat><D:prop><D:getcontentlength/><D:resourcetype/></D:prop>" +
    "<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>";
  assert.deepEqual(
    await listed(WHOLE.replaceAll("<D:propstat>", `${missing}<D:propstat>`)),
    both,
    "404 first",
  );
  assert.deepEqual(
    await listed(WHOLE.replaceAll("</D:propstat>", `</D:propstat>${missing}`)),
    both,
    "404 last",
  );
});

Deno.test("webdav: names of others are passed over, however they are written", async () => {
  const others = [
    "a%20b",
    "a b",
    "%E9t%E9",
    "été",
    "a%2Fb",
    "%2e%2e",
    ".one.0123456789abcdef.partial",
    "lost+found",
  ];
  const told = others.map((name, at) => response(`/dav/${name}`, at));
  // What is not ours may be as unreadable as it likes.
  told.push(
    response("/dav/lost+found2/", undefined, "HTTP/1.1 403 Forbidden"),
    response("/dav/a'b", "no size"),
  );
  assert.deepEqual(await listed(multistatus(SELF, ...told, ONE)), ["one"]);
});

const CUTS: [string, string][] = [
  1,
  40,
  60,
  WHOLE.indexOf("<D:response>", 90),
  WHOLE.indexOf("two"),
  WHOLE.length - 1,
]
  .map((end) => [`cut after ${end} of ${WHOLE.length} characters`, WHOLE.slice(0, end)]);
const FOREIGN = 'xmlns:X="urn:other"><X:resourcetype/><X:getcontentlength>5</X:getcontentlength>';

const STRANGE: [string, string, ErrorCode, RegExp][] = [
  ...CUTS.map((
    [what, text],
  ): [string, string, ErrorCode, RegExp] => [what, text, "transient", /cut short|no XML/]),
  ["nothing at all", "", "transient", /cut short|no XML/],
  ["another document", '<a xmlns="DAV:"/>', "transient", /no multistatus/],
  ["a multistatus of another namespace", WHOLE.replace("DAV:", "dav:"), "transient", /no multistatus/],
  ["two documents", WHOLE + WHOLE.slice(WHOLE.indexOf("<D:")), "transient", /cut short|no XML/],
  [
    "entities of its own",
    `<!DOCTYPE x [<!ENTITY a "one">]>${WHOLE.slice(39)}`,
    "transient",
    /document type|no XML/,
  ],
  ["an entity that is none", WHOLE.replace("/dav/one", "/dav/&one;"), "transient", /no XML/],
  ["no word of the folder", multistatus(ONE, TWO), "transient", /does not tell of the folder/],
  ["an empty multistatus", multistatus(), "transient", /does not tell of the folder/],
  [
    "too long, told as 507",
    multistatus(
      SELF,
      ONE,
      "<D:response><D:href>/dav/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>",
    ),
    "transient",
    /tells twice of the folder/,
  ],
  ["a name twice", multistatus(SELF, ONE, response("/dav/%6Fne", 1)), "transient", /tells twice of "one"/],
  [
    "a name of another folder",
    multistatus(SELF, ONE, response("/other/two", 2)),
    "misconfigured",
    /speaks of "\/other\/two"/,
  ],
  [
    "the folder under another name",
    multistatus(response("/"), response("/one", 1)),
    "misconfigured",
    /speaks of "\/"/,
  ],
  [
    "another host",
    multistatus(SELF, response("http://evil.example/dav/two", 2)),
    "misconfigured",
    /speaks of "http:\/\/evil/,
  ],
  ["an href that is none", multistatus(SELF, response("one", 1)), "misconfigured", /speaks of "one"/],
  ["a climb", multistatus(SELF, response("/dav/../x/one", 1)), "transient", /tells of/],
  [
    "something deeper",
    multistatus(SELF, response("/dav/deep/er", 1)),
    "transient",
    /tells of "\/dav\/deep\/er"/,
  ],
  [
    "a name that cannot be decoded",
    multistatus(SELF, response("/dav/on%zz", 1)),
    "transient",
    /cannot be read/,
  ],
  [
    "a file that is denied",
    multistatus(SELF, ONE, response("/dav/two", 2, "HTTP/1.1 403 Forbidden")),
    "denied",
    /"two" \(403\)/,
  ],
  [
    "a file that is gone, told whole",
    multistatus(
      SELF,
      ONE,
      "<D:response><D:href>/dav/two</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>",
    ),
    "transient",
    /404/,
  ],
  [
    "a file that fails",
    multistatus(SELF, ONE, response("/dav/two", 2, "HTTP/1.1 500 Oops")),
    "transient",
    /500/,
  ],
  [
    "a file without a size",
    WHOLE.replace("<D:getcontentlength>2</D:getcontentlength>", ""),
    "transient",
    /size of "two"/,
  ],
  ["a size that is none", WHOLE.replace(">2<", ">2e3<"), "transient", /size of "two"/],
  [
    "a size of another namespace",
    WHOLE.replace("><D:resourcetype/><D:getcontentlength>2</D:getcontentlength>", ` ${FOREIGN}`),
    "transient",
    /tells nothing of an address/,
  ],
  ["no type", WHOLE.replaceAll("<D:resourcetype/>", ""), "transient", /whether "one" is a file/],
  ["a status that is none", WHOLE.replace("HTTP/1.1 200 OK", "fine"), "transient", /status that is none/],
  ["no status", WHOLE.replace("<D:status>HTTP/1.1 200 OK</D:status>", ""), "transient", /without a status/],
  ["no href", WHOLE.replace("<D:href>/dav/one</D:href>", ""), "transient", /of no address/],
];

for (const [what, text, code, sentence] of STRANGE) {
  Deno.test(`webdav: no list comes of ${what}`, async () => {
    await fails(listed(text), code, sentence);
  });
}

Deno.test("webdav: no list comes of another answer than a multistatus", async () => {
  const html = "<!doctype html><title>Welcome</title>";
  await fails(listed(html, 200, "text/html"), "transient", /a web page/);
  await fails(listed(html, 207, "text/html"), "transient", /no XML|document type/);
  await fails(listed(WHOLE, 200), "misconfigured", /does not speak WebDAV there \(200\)/);
  await fails(listed("", 405), "misconfigured", /does not speak WebDAV there \(405\)/, /remote\.php/);
  await fails(listed("", 404), "misconfigured", /does not exist/, /make it, or check the address/);
  await fails(listed("", 500), "transient", /500/);
  await fails(listed("", 403), "denied", /do not allow/);
});

Deno.test("webdav: a folder that goes while it is listed makes no short list", async () => {
  await using server = new Answers(({ path, headers }) => {
    if (path !== "/dav/") return new Response(null, { status: 404 });
    const within = headers.get("depth") === "1" ? [ONE, response("/dav/gone/")] : [];
    return new Response(multistatus(SELF, ...within), { status: 207 });
  });
  await using openings = new Openings();
  const destination = await openings.open({ url: `${server.origin}/dav`, auth: "basic" });
  await fails(keysOf(destination, ""), "transient", /"gone" vanished while it was being listed/);
  assert.deepEqual(await keysOf(destination, "gone/"), []); // nothing was stored in it yet
  assert.deepEqual(await keysOf(destination, "on"), ["one"]); // only what can hold such keys is looked at
});

Deno.test("webdav: an answer about something else is no answer", async () => {
  await using server = new Answers(({ path }) =>
    new Response(multistatus(path === "/dav/a" ? response("/dav/b", 5) : response("/dav/a", 5), ""), {
      status: 207,
    })
  );
  await using openings = new Openings();
  const destination = await openings.open({ url: `${server.origin}/dav/`, auth: "basic" });
  await fails(destination.stat("a", never), "transient", /question about "a" tells of "\/dav\/b"/);
});
