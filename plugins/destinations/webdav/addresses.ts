import { utf8 } from "../../../src/base/bytes.ts";
import { AppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { strange } from "./multistatus.ts";

/**
 * The addresses of a folder and of what is below it, one name to a part. Keys are plain ASCII without anything that
 * needs encoding; names of others are compared byte by byte, and are never sent.
 */
export class Addresses {
  /** Ends with a slash. */
  readonly base: URL;
  readonly #above: readonly string[];

  constructor(url: string) {
    this.base = new URL(url);
    if (!this.base.pathname.endsWith("/")) this.base.pathname += "/";
    this.#above = decodedParts(this.base.pathname);
  }

  /** Where `parts` are; as a folder with a slash at the end. */
  of(parts: readonly string[], folder: boolean): URL {
    const path = [this.base.href.replace(/\/$/, ""), ...parts].join("/");
    return new URL(folder ? `${path}/` : path);
  }

  /**
   * The parts that an href of an answer names; throws on one that is not below our folder, or of another host. A
   * server behind a proxy may say `http` where we say `https`.
   */
  partsOf(href: string): string[] {
    const [, host, path] = /^(?:https?:\/\/([^/?#]*))?(\/.*)?$/is.exec(href) ?? [];
    if (path === undefined && host === undefined) throw this.#elsewhere(href);
    if (host !== undefined && URL.parse(`${this.base.protocol}//${host}`)?.hostname !== this.base.hostname) {
      throw this.#elsewhere(href);
    }
    const parts = decodedParts(path ?? "/"), above = this.#above;
    if (!above.every((part, at) => parts[at] === part)) throw this.#elsewhere(href);
    return parts.slice(above.length);
  }

  #elsewhere(href: string): AppError {
    return new AppError(
      "misconfigured",
      `the server speaks of ${quoted(href)} when it is asked for "${this.base.pathname}"`,
      {
        hint: "give the address as the server itself calls it; a proxy in front of it must not rewrite paths",
      },
    );
  }
}

/** The names in a path, byte by byte: what is no ASCII comes out as one character a byte. */
function decodedParts(path: string): string[] {
  return path.split("/").filter((part) => part !== "").map((part) => {
    if (/%(?![0-9a-f]{2})/i.test(part)) throw strange(`holds a name that cannot be read: ${quoted(part)}`);
    const bytes = Array.from(utf8(part), (byte) => String.fromCharCode(byte)).join("");
    return bytes.replace(/%([0-9a-f]{2})/gi, (_, byte) => String.fromCharCode(Number.parseInt(byte, 16)));
  });
}
