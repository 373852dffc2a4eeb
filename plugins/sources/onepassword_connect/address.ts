import { isIP } from "node:net";

/** What is wrong with the address of a Connect server, for a person who typed it; undefined when nothing is. */
export function addressProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return 'must be the address of a Connect server, such as "https://connect.example:8443"';
  }
  // Not quoted: the part after the ? and a password are secrets more often than not.
  if (url.username !== "" || url.password !== "") return "must hold no user name and no password";
  if (url.search !== "" || url.hash !== "") return "must end with the host or a path, without ? and #";
  return undefined;
}

/** The address without a slash at its end; one that ends in the API's own `/v1` means the same. */
export function plainAddress(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
}

/** Whether a token sent there travels over a network in clear. */
export function isInClear(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !isThisMachine(hostname);
}

function isThisMachine(hostname: string): boolean {
  if (hostname === "[::1]" || hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  return isIP(hostname) === 4 && hostname.startsWith("127.");
}
