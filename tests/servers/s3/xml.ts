/** The XML that S3 speaks: built from plain values, and the little of it that comes with requests. */

export type Xml = string | number | boolean | undefined | XmlTree | readonly (string | XmlTree)[];
export interface XmlTree {
  [name: string]: Xml;
}

export function document(root: string, tree: XmlTree): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
    inner(tree)
  }</${root}>`;
}

export function errorDocument(code: string, message: string, more: XmlTree = {}): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${
    inner({ Code: code, Message: message, ...more, RequestId: "4442587FB7D0A2F9" })
  }</Error>`;
}

function inner(tree: XmlTree): string {
  return Object.entries(tree).map(([name, value]) => element(name, value)).join("");
}

function element(name: string, value: Xml): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((one) => element(name, one)).join("");
  const text = typeof value === "object" ? inner(value as XmlTree) : escape(String(value));
  return `<${name}>${text}</${name}>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"\r]/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** The content of every `name` in `text`; without nesting of the same name. */
export function contents(text: string, name: string): string[] {
  const found = text.matchAll(
    new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([\\s\\S]*?)</(?:\\w+:)?${name}>`, "g"),
  );
  return [...found].map(([, content]) => content!);
}

/** The text in the first `name`; undefined where there is none. */
export function content(text: string, name: string): string | undefined {
  return contents(text, name)[0]?.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, entity: string) => {
    if (entity.startsWith("#x")) return String.fromCodePoint(parseInt(entity.slice(2), 16));
    if (entity.startsWith("#")) return String.fromCodePoint(Number(entity.slice(1)));
    return { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }[entity] ?? whole;
  });
}
