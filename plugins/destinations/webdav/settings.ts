import { z } from "zod";
import { httpSettings, isPrivateWay } from "../../../src/destination/http/settings.ts";
import { timeoutSetting } from "../../../src/destination/settings.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";

const PASSWORD_KINDS = ["auto", "basic", "digest"];

const address = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const say = (message: string) => context.addIssue({ code: "custom", message });
  if (!url || !/^https?:$/.test(url.protocol)) say("must be an address such as https://dav.example/backups/");
  else if (url.username !== "" || url.password !== "") {
    say('must hold no user name or password: give them as "username" and "password"');
  } else if (/[?#]/.test(text)) say("must be the address of a folder, without ? and #");
  else if (/%2f|%00/i.test(text)) say("must hold no encoded slash");
});

/** The plugin's own part of the config. */
export const webdavSettings = z.strictObject({
  url: address.describe("address of the folder that keeps the archives; it must exist"),
  auth: z.enum(["auto", "basic", "digest", "bearer", "none"]).optional().describe(
    "how to sign in: auto takes what the server asks for (digest before basic); none only if the server asks nobody",
  ),
  username: z.string().regex(/^[^:\p{Cc}]{1,255}$/u, 'must hold no ":" and no control characters').optional()
    .describe("user name for basic and digest"),
  password: secretReference.optional().describe(
    "password for basic and digest, better one made for this program alone, as a reference",
  ),
  token: secretReference.optional().describe("token for bearer, as a reference"),
  allowHttp: z.boolean().default(false).describe(
    "true: http:// to another machine is accepted, with a warning; whoever is on the way can read the password and delete the archives",
  ),
  access: z.literal("full", {
    error: 'must be "full": WebDAV knows no credentials that may create and nothing else',
  }).default("full").describe("WebDAV knows no other: what may store may also remove"),
  timeout: timeoutSetting,
  ...httpSettings,
}).superRefine(({ url, auth, username, password, token, allowHttp }, context) => {
  const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  const parsed = URL.parse(url);
  if (parsed && !isPrivateWay(parsed) && !allowHttp) {
    say("url", 'must begin with https://, or be allowed by "allowHttp: true"');
  }
  const named = username !== undefined || password !== undefined;
  if (username === undefined && password !== undefined) say("username", "belongs to password");
  if (username !== undefined && password === undefined) say("password", "belongs to username");
  if (token !== undefined && named) say("token", "is given besides a user name or a password");
  if (auth === undefined && token === undefined && !named) {
    say("auth", 'give "username" and "password", or "token"; where the server asks nobody, say "auth: none"');
  }
  if (auth === "none" && (named || token !== undefined)) say("auth", "is none, and credentials are given");
  if (auth === "bearer" && token === undefined) say("token", "belongs to auth: bearer");
  if (auth !== undefined && PASSWORD_KINDS.includes(auth)) {
    if (token !== undefined) say("auth", "must be bearer with a token");
    if (!named) say("username", `belongs to auth: ${auth}`);
  }
});

/** What {@linkcode webdavSettings} parse to. */
export type WebdavSettings = z.infer<typeof webdavSettings>;
