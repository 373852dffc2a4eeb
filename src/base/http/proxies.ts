import { base64, utf8 } from "../bytes.ts";
import { AppError } from "../errors.ts";
import type { HttpProxy } from "./contract.ts";

/**
 * The proxy of a text such as `http://user:password@proxy:3128`.
 *
 * @throws `misconfigured`, without showing the text, which may hold a password.
 */
export function parseProxy(text: string, where: string): HttpProxy {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || url.hostname === "") {
    throw new AppError("misconfigured", `${where} is no address of a proxy`, {
      hint: "write it as http://HOST:PORT",
    });
  }
  if (url.protocol !== "http:") {
    throw new AppError("misconfigured", `${where} names a ${url.protocol.slice(0, -1)} proxy`, {
      hint: "only proxies that are spoken to by http:// are supported; they carry https all the same",
    });
  }
  const { username, password } = url;
  return {
    host: bare(url.hostname),
    port: url.port === "" ? 80 : Number(url.port),
    ...(username === "" ? {} : { credentials: `${decoded(username)}:${decoded(password)}` }),
  };
}

/** The proxy that the environment names for `url`; upper and lower case both count, as everywhere. */
export function proxyOf(url: URL, env: (name: string) => string | undefined): HttpProxy | undefined {
  const both = (name: string) => env(name) ?? env(name.toLowerCase());
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  for (const variable of [name, "ALL_PROXY"]) {
    const text = both(variable);
    if (text === undefined) continue;
    return exempt(url, both("NO_PROXY") ?? "") ? undefined : parseProxy(text, `"${variable}"`);
  }
  return undefined;
}

/** Whether a list such as `localhost, .example.com, 10.0.0.1:8080` names the host. */
function exempt(url: URL, list: string): boolean {
  const host = bare(url.hostname).toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list.split(/[\s,]+/).filter((one) => one !== "").some((one) => {
    if (one === "*") return true;
    const [, name = one, only] = /^(.*?)(?::(\d+))?$/.exec(one.toLowerCase().replace(/^\[|\](?=:|$)/g, "")) ??
      [];
    const ipv6 = one.split(":").length > 2;
    const wanted = (ipv6 ? one.toLowerCase().replace(/[[\]]/g, "") : name).replace(/^\*?\./, "");
    if (!ipv6 && only !== undefined && only !== port) return false;
    return host === wanted || host.endsWith(`.${wanted}`);
  });
}

/** The value of a proxy's `authorization`; undefined where it asks for none. */
export function proxyAuthorization({ credentials }: HttpProxy): string | undefined {
  return credentials === undefined ? undefined : `Basic ${base64(utf8(credentials))}`;
}

/** A host without the brackets of an IPv6 address. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
