import { posix, win32 } from "node:path";
import { z } from "zod";
import { secretReference } from "../../model/secret_reference.ts";

/**
 * The settings that every destination behind HTTP has, to be spread into a plugin's own `z.strictObject({…})`; what
 * they come to is taken by {@linkcode HttpDoor.open}.
 */
export const httpSettings = {
  ca: z.string().refine((path) => posix.isAbsolute(path) || win32.isAbsolute(path), {
    error: "must be an absolute path",
  }).optional().describe(
    "file with the certificate (PEM) of an authority that is trusted besides the usual ones",
  ),
  proxy: z.string().optional().superRefine((text, context) => {
    if (text === undefined) return;
    const url = URL.parse(text);
    if (!url || url.protocol !== "http:" || url.hostname === "" || !/^\/?$/.test(url.pathname + url.search)) {
      context.addIssue({
        code: "custom",
        message: "must be the address of a proxy, such as http://proxy:3128",
      });
    } else if (url.username !== "" || url.password !== "") {
      context.addIssue({
        code: "custom",
        message: 'must hold no credentials: give them as "proxyCredentials"',
      });
    }
  }).describe("proxy for this destination, in place of the one that the environment names"),
  proxyCredentials: secretReference.optional()
    .describe("user:password for the proxy: file:PATH, credential:NAME, env:NAME or {command: […]}"),
};

/** What {@linkcode httpSettings} parse to. */
export interface HttpSettings {
  ca?: string | undefined;
  proxy?: string | undefined;
  proxyCredentials?: z.infer<typeof secretReference> | undefined;
}

/** Whether nobody on the way to `url` can read what is sent: it is encrypted, or there is no way. */
export function isPrivateWay(url: URL): boolean {
  return url.protocol === "https:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}
