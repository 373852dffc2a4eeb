import { createHmac } from "node:crypto";
import { base64 } from "../../../../src/base/bytes.ts";

/** A line of a `known_hosts` file, as sshd(8) describes it. */
export interface HostLine {
  marker: "revoked" | "cert-authority" | undefined;
  /** Patterns with commas between them, or one hashed name. */
  names: string;
  /** `ssh-ed25519` … */
  type: string;
  /** The key as it goes over the wire, in base64. */
  key: string;
}

/** Every line that holds a key; `misread` gets each that should and cannot be understood. */
export function parseKnownHosts(text: string, misread: (line: string) => void): HostLine[] {
  const lines: HostLine[] = [];
  for (const line of text.split(/\r?\n/).map((line) => line.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [, marker, names, type, key] =
      /^(?:@(revoked|cert-authority)\s+)?([^@\s]\S*)\s+([a-z][a-z0-9@.-]*)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/
        .exec(line) ?? [];
    if (names === undefined || typeInside(key!) !== type) misread(line);
    else lines.push({ marker: marker as HostLine["marker"], names, type: type!, key: key! });
  }
  return lines;
}

/** The type that a key in base64 says it has; undefined where it is no key. */
export function typeInside(key: string): string | undefined {
  try {
    const bytes = Uint8Array.fromBase64(key);
    const length = new DataView(bytes.buffer).getUint32(0);
    return length > 64 ? undefined : new TextDecoder().decode(bytes.subarray(4, 4 + length));
  } catch {
    return undefined; // no base64, or too short: no key
  }
}

/** What a list of known hosts says of a server's key. */
export type Verdict = "known" | "revoked" | "changed" | "authority" | "unknown";

/** Judges the key that a server shows, as ssh(1) with StrictHostKeyChecking=yes would. */
export function judge(lines: readonly HostLine[], host: string, port: number, key: Uint8Array): Verdict {
  const shown = base64(key);
  const all = [...about(lines, nameOf(host, port)), ...about(lines, nameOf(host, 22))];
  if (all.some((line) => line.marker === "revoked" && line.key === shown)) return "revoked";
  const keys = keysFor(lines, host, port);
  if (keys.some((line) => line.key === shown)) return "known";
  if (keys.length > 0) return "changed";
  return all.some(({ marker }) => marker === "cert-authority") ? "authority" : "unknown";
}

/** The types of key that a server is known by. */
export function typesFor(lines: readonly HostLine[], host: string, port: number): string[] {
  return keysFor(lines, host, port).map(({ type }) => type);
}

/** The name that a server has in a list of known hosts. */
export function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** Keys of exactly this port; those of the host as such only where there are none, as ssh(1) does it. */
function keysFor(lines: readonly HostLine[], host: string, port: number): HostLine[] {
  const keys = (name: string) => about(lines, name).filter(({ marker }) => marker === undefined);
  const exact = keys(nameOf(host, port));
  return exact.length > 0 ? exact : keys(nameOf(host, 22));
}

function about(lines: readonly HostLine[], name: string): HostLine[] {
  return lines.filter(({ names }) => isAbout(names, name));
}

/** Whether a line's names hold for `name`: one of its patterns matches, and none that is negated. */
function isAbout(names: string, name: string): boolean {
  if (names.startsWith("|")) return isHashOf(names, name);
  let matches = false;
  for (const pattern of names.split(",")) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(pattern.slice(negated ? 1 : 0), name)) continue;
    if (negated) return false;
    matches = true;
  }
  return matches;
}

/** `|1|salt|HMAC-SHA1(salt, name)` */
function isHashOf(hashed: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([A-Za-z0-9+/]+=*)\|([A-Za-z0-9+/]+=*)$/.exec(hashed) ?? [];
  if (salt === undefined) return false;
  return createHmac("sha1", Uint8Array.fromBase64(salt)).update(name).digest("base64") === hash;
}

/** `*` stands for any text, `?` for one character. */
function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.toLowerCase().split(/([*?])/).map((part) =>
    part === "*" ? ".*" : part === "?" ? "." : part.replace(/[^a-z0-9]/g, "\\$&")
  );
  return new RegExp(`^${parts.join("")}$`, "s").test(name);
}
