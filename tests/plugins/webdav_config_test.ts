/** What the config may say. */
import assert from "node:assert/strict";
import { webdavSettings } from "../../plugins/destinations/webdav/settings.ts";
import { Openings } from "./webdav_place.ts";

const PLACE = { url: "https://dav.example/backups/" };
const LOGIN = { username: "backup", password: "env:PASSWORD" };

/** What is wrong with these settings, as `path: sentence`. */
function wrong(settings: Record<string, unknown>): string[] {
  const { error } = webdavSettings.safeParse(settings);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

Deno.test("webdav: what the config may say", () => {
  const fine: Record<string, unknown>[] = [
    { ...PLACE, ...LOGIN },
    ...["auto", "basic", "digest"].map((auth) => ({ ...PLACE, ...LOGIN, auth })),
    { ...PLACE, token: "file:/etc/token" },
    { ...PLACE, token: { command: ["pass", "dav"] }, auth: "bearer" },
    { ...PLACE, auth: "none" },
    { ...LOGIN, url: "http://localhost:8080/my%20backups" },
    { ...LOGIN, url: "http://[::1]/" },
    { ...LOGIN, url: "http://nas/backups/", allowHttp: true },
    { ...PLACE, ...LOGIN, ca: "/etc/ca.pem", proxy: "http://proxy:3128", timeout: "10m", access: "full" },
  ];
  for (const settings of fine) assert.deepEqual(wrong(settings), [], JSON.stringify(settings));
});

const WRONG: [Record<string, unknown>, RegExp][] = [
  [{ ...PLACE }, /^auth: give "username" and "password", or "token"; where .+, say "auth: none"$/],
  [{ ...PLACE, auth: "basic" }, /^username: belongs to auth: basic$/],
  [{ ...PLACE, auth: "bearer" }, /^token: belongs to auth: bearer$/],
  [{ ...PLACE, ...LOGIN, auth: "bearer" }, /^token: belongs to auth: bearer$/],
  [{ ...PLACE, ...LOGIN, auth: "none" }, /^auth: is none, and credentials are given$/],
  [{ ...PLACE, ...LOGIN, token: "env:T" }, /^token: is given besides a user name/],
  [{ ...PLACE, token: "env:T", auth: "basic" }, /^auth: must be bearer with a token$/],
  [{ ...PLACE, username: "u" }, /^password: belongs to username$/],
  [{ ...PLACE, password: "env:P" }, /^username: belongs to password$/],
  [{ ...PLACE, username: "a:b", password: "env:P" }, /^username: must hold no ":"/],
  [{ ...PLACE, username: "u", password: "hunter22" }, /^password: is not a reference to a secret/],
  [
    { ...PLACE, ...LOGIN, access: "create-only" },
    /^access: must be "full": WebDAV knows no credentials that may create/,
  ],
  [{ ...PLACE, ...LOGIN, immutableFor: "30d" }, /immutableFor/],
  [
    { ...LOGIN, url: "http://nas/backups/" },
    /^url: must begin with https:\/\/, or be allowed by "allowHttp: true"$/,
  ],
  [{ ...LOGIN, url: "https://u:hunter22@dav.example/" }, /^url: must hold no user name or password/],
  [{ ...LOGIN, url: "https://dav.example/?a=b" }, /^url: must be the address of a folder/],
  [{ ...LOGIN, url: "https://dav.example/a%2Fb/" }, /^url: must hold no encoded slash/],
  [{ ...LOGIN, url: "dav.example/backups" }, /^url: must be an address such as https:/],
  [{ ...LOGIN, url: "ftp://dav.example/" }, /^url: must be an address such as https:/],
  [{ ...LOGIN }, /^url: /],
];

for (const [settings, sentence] of WRONG) {
  Deno.test(`webdav: the config may not say ${JSON.stringify(settings)}`, () => {
    const said = wrong(settings);
    assert.ok(said.some((one) => sentence.test(one)), said.join("\n") || "nothing is wrong");
    assert.ok(!said.join().includes("hunter22"), "a secret is shown");
  });
}

Deno.test("webdav: http to another machine is warned of, to this one and https are not", async () => {
  await using openings = new Openings();
  await openings.open({ url: "http://127.0.0.1:1/" });
  await openings.open({ url: "https://nas/" });
  assert.deepEqual(openings.warnings, []);
  await openings.open({ url: "http://nas/backups/", allowHttp: true });
  assert.equal(openings.warnings.length, 1);
  assert.match(
    openings.warnings[0]!,
    /^destination "dav": whoever is on the way to "nas" can read how we sign in/,
  );
});
