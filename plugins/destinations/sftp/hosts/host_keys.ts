import { createHash } from "node:crypto";
import { base64, fromUtf8 } from "../../../../src/base/bytes.ts";
import { AppError, isAppError } from "../../../../src/base/errors.ts";
import { peerName } from "../../../../src/base/network_errors.ts";
import { printable, quoted } from "../../../../src/base/safe_names.ts";
import type { Files } from "../../../../src/base/world.ts";
import { type HostLine, judge, nameOf, parseKnownHosts, typeInside, typesFor } from "./known_hosts.ts";

/** Kinds of key that a server may prove itself with, best first; none of them signs with SHA-1. */
const ALGORITHMS: Readonly<Record<string, string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Which key a server has, from what the config names. */
export class HostKeys {
  private constructor(
    readonly lines: readonly HostLine[],
    readonly host: string,
    readonly port: number,
    /** For sentences. */
    readonly where: string,
  ) {}

  /** @throws `misconfigured` where the file is not to be had or a line is none */
  static async open(
    given: string | readonly string[],
    host: string,
    port: number,
    files: Files,
  ): Promise<HostKeys> {
    const path = typeof given === "string" && !/\s/.test(given.trim()) ? given.trim() : undefined;
    if (path === undefined) {
      const text = typeof given === "string" ? given : (given as readonly string[]).join("\n");
      const lines = parseKnownHosts(text, (line) => {
        throw new AppError(
          "misconfigured",
          `"knownHosts" holds ${quoted(line)}, which is no line of a known_hosts file`,
          { hint: "such a line reads: nas.example ssh-ed25519 AAAA…" },
        );
      });
      return new HostKeys(lines, host, port, '"knownHosts"');
    }
    const lines = parseKnownHosts(await read(path, files), (line) => {
      // What ssh(1) passes over we pass over, but for what is there to refuse a key.
      if (!line.startsWith("@")) return;
      throw new AppError(
        "misconfigured",
        `${quoted(path)} holds ${quoted(line)}, which is no line of its kind`,
      );
    });
    return new HostKeys(lines, host, port, quoted(path));
  }

  /** What the server is to be asked for, so that it shows the key that it is known by, where it has several. */
  algorithms(): string[] {
    const known = typesFor(this.lines, this.host, this.port);
    return [...new Set([...known, ...Object.keys(ALGORITHMS)].flatMap((type) => ALGORITHMS[type] ?? []))];
  }

  /** Why the key that the server shows is not trusted; undefined where it is. */
  refusal(key: Uint8Array): AppError | undefined {
    const verdict = judge(this.lines, this.host, this.port, key);
    if (verdict === "known") return undefined;
    const peer = peerName(this.host, this.port), blob = base64(key);
    const type = printable(typeInside(blob) ?? "unknown");
    const fingerprint = `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
    const line = `${nameOf(this.host, this.port)} ${type} ${blob}`;
    const compare = "compare the fingerprint with what ssh-keygen -lf says of the key on the server itself";
    const say = (sentence: string, hint: string) =>
      new AppError("misconfigured", `${sentence}: its ${type} key has the fingerprint ${fingerprint}`, {
        hint,
      });
    switch (verdict) {
      case "unknown":
        return say(
          `${peer} is not in ${this.where}, so nothing tells that it is the right server`,
          `${compare}; where they agree, add this line: ${line}`,
        );
      case "authority":
        return say(
          `${this.where} trusts ${peer} by a @cert-authority only, which is not supported`,
          `${compare}; where they agree, add this line: ${line}`,
        );
      case "changed":
        return say(
          `${peer} has another key than ${this.where} knows: somebody else may be answering there`,
          `nothing was sent; if the server was set up anew, ${compare}; where they agree, put this line in the place of the old ones: ${line}`,
        );
      case "revoked":
        return say(
          `${this.where} says that the key of ${peer} is revoked`,
          "nothing was sent; the server needs a new key, or somebody else is answering there",
        );
    }
  }
}

async function read(path: string, files: Files): Promise<string> {
  try {
    return fromUtf8(await files.read(path, 4 * 1024 * 1024), quoted(path));
  } catch (error) {
    const why = isAppError(error, "not-found") ? "which does not exist" : undefined;
    if (!isAppError(error)) throw error;
    throw new AppError("misconfigured", `"knownHosts" names ${quoted(path)}, ${why ?? error.message}`, {
      cause: error,
      hint:
        "ssh-keyscan HOST prints the lines; compare the fingerprints with the server's own before they are trusted",
    });
  }
}
