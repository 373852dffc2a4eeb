import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from "saxes";
import { AppError, isAppError } from "../../../src/base/errors.ts";

/** The properties that are asked for, and read. */
const PROPERTIES = ["resourcetype", "getcontentlength", "getetag", "getlastmodified"] as const;
export type Property = typeof PROPERTIES[number];

/** The body of a request for {@linkcode PROPERTIES}. */
export const PROPFIND = '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>' +
  PROPERTIES.map((name) => `<${name}/>`).join("") + "</prop></propfind>";

/** What a multistatus says of one address. */
export interface Told {
  /** As it is written. */
  href: string;
  /** A status for the whole of it, in place of properties. */
  status: number | undefined;
  /** Each property with the status that it was given with; `collection` is the resource type of a folder. */
  properties: ReadonlyMap<Property, { status: number; text: string }>;
}

/** Bytes of an answer: some 500,000 files in one folder. */
const LIMIT = 256 * 1024 * 1024;

const RESPONSE = "multistatus/response";
const PROPSTAT = `${RESPONSE}/propstat`;

/**
 * Hands each response of a multistatus to `take` while it comes. Whatever is not well-formed to its last byte, or no
 * multistatus, is `transient`: what was taken by then is no list.
 */
export async function readMultistatus(
  body: ReadableStream<Uint8Array> | null,
  take: (told: Told) => void,
): Promise<void> {
  const reader = new Reader(take);
  const text = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  try {
    for await (const bytes of body ?? []) {
      size += bytes.length;
      if (size > LIMIT) throw strange("is endless");
      reader.write(text.decode(bytes, { stream: true }));
    }
    reader.write(text.decode());
    reader.end();
  } catch (error) {
    throw isAppError(error) ? error : strange("is cut short, or no XML", error);
  }
}

/** The answer is none of WebDAV's. */
export function strange(why: string, cause?: unknown): AppError {
  return new AppError("transient", `the server's answer ${why}`, {
    cause,
    hint: "a proxy or a captive portal may stand between, or the address may be wrong",
  });
}

/** A strict reader of XML that knows where it is. */
class Reader {
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #path: string[] = [];
  #text = "";
  #hrefs: string[] = [];
  #status: number | undefined;
  #properties = new Map<Property, { status: number; text: string }>();
  /** Of the propstat that is open. */
  #some = new Map<Property, string>();
  #someStatus: number | undefined;

  constructor(readonly take: (told: Told) => void) {
    this.#parser.on("opentag", (tag) => this.#open(tag));
    this.#parser.on("closetag", () => this.#close());
    this.#parser.on("text", (text) => void (this.#text += text));
    this.#parser.on("cdata", (text) => void (this.#text += text));
    this.#parser.on("doctype", () => {
      throw strange("declares a document type, which WebDAV has none of");
    });
    this.#parser.on("error", (error) => {
      throw error;
    });
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.close();
  }

  #open({ uri, local }: SaxesTagNS & { attributes: Record<string, SaxesAttributeNS> }): void {
    this.#path.push(uri === "DAV:" ? local : `{${uri}}${local}`);
    this.#text = "";
    const at = this.#path.join("/");
    if (this.#path.length === 1 && at !== "multistatus") throw strange("is no multistatus");
    if (at === RESPONSE) {
      this.#hrefs = [];
      this.#status = undefined;
      this.#properties = new Map();
    } else if (at === PROPSTAT) {
      this.#some = new Map();
      this.#someStatus = undefined;
    } else if (at === `${PROPSTAT}/prop/resourcetype/collection`) {
      this.#some.set("resourcetype", "collection");
    }
  }

  #close(): void {
    const at = this.#path.join("/"), name = this.#path.pop(), text = this.#text.trim();
    const parent = at.slice(0, -(name!.length + 1));
    if (at === `${RESPONSE}/href`) this.#hrefs.push(text);
    else if (at === `${RESPONSE}/status`) this.#status = statusIn(text);
    else if (at === `${PROPSTAT}/status`) this.#someStatus = statusIn(text);
    else if (parent === `${PROPSTAT}/prop` && isProperty(name)) {
      // What a folder's type says was found further in.
      if (!this.#some.has(name)) this.#some.set(name, text);
    } else if (at === PROPSTAT) this.#closePropstat();
    else if (at === RESPONSE) this.#closeResponse();
  }

  #closePropstat(): void {
    const status = this.#someStatus;
    if (status === undefined) throw strange("tells properties without a status");
    for (const [name, text] of this.#some) {
      // Of two the one that was given counts, whichever came first.
      if (this.#properties.get(name)?.status !== 200) this.#properties.set(name, { status, text });
    }
  }

  #closeResponse(): void {
    const properties = this.#properties, status = this.#status;
    if (this.#hrefs.length === 0 || (status === undefined && properties.size === 0)) {
      throw strange("tells nothing of an address, or of no address");
    }
    for (const href of this.#hrefs) this.take({ href, status, properties });
  }
}

function isProperty(name: string | undefined): name is Property {
  return (PROPERTIES as readonly (string | undefined)[]).includes(name);
}

/** The number in `HTTP/1.1 200 OK`. */
function statusIn(line: string): number {
  const [, status] = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/.exec(line) ?? [];
  if (status === undefined) throw strange("holds a status that is none");
  return Number(status);
}
