import {
  Alias,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
} from "yaml";

/** Keys and list positions from the root of the config to a value. */
export type ConfigPath = readonly PropertyKey[];

/** A place in the text, both counted from 1. */
export interface Position {
  line: number;
  column: number;
}

/** One thing that is wrong with a config. */
export interface Problem extends Position {
  path: ConfigPath;
  message: string;
}

/** A YAML text as plain values that still know where they stand. */
export interface ConfigDocument {
  /** What the text says; undefined where `problems` holds anything. */
  value: unknown;
  /** Why the text cannot be taken as a config at all. */
  problems: Problem[];
  /** Where the value (or its key) at `path` stands; for an absent one its nearest present parent's key. */
  positionOf(path: ConfigPath, part: "key" | "value"): Position;
}

/**
 * Values that a config may hold after its aliases are filled in. A few nested aliases stand for billions of
 * values ("billion laughs"); no honest config comes near this.
 */
const MOST_VALUES = 20_000;

/** How deep lists and mappings may nest; the schema needs less than ten. */
const DEEPEST = 50;

/**
 * Reads the one YAML 1.2 document in `text`, which must be plain: text keys, no merge keys, no tags.
 * Messages are our own, because the parser's quote the text, and a text may hold a secret by mistake.
 */
export function readDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = [];
  const report = (offset: number, message: string, path: ConfigPath = []) =>
    problems.push({ ...place(offset), path, message });

  const documents = parse(text, lines);
  const [document, second] = documents;
  for (const { errors, warnings } of documents) {
    for (const { code, pos } of [...errors, ...warnings]) {
      report(pos[0], SYNTAX[code] ?? "this is not valid YAML");
    }
  }
  if (document?.contents == null || isScalar(document.contents) && document.contents.value === null) {
    if (problems.length === 0) report(0, "the config is empty");
  } else if (second) {
    report(second.range[0], "a second document begins here: a config is one");
  } else if (problems.length === 0) {
    new Inspection(report).all(document.contents);
  }
  return {
    problems,
    value: problems.length > 0 ? undefined : document?.toJS({ maxAliasCount: -1 }),
    positionOf: (path, part) => place(document ? offsetOf(document, path, part) : 0),
  };
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed[] {
  const options = { lineCounter, prettyErrors: false, version: "1.2", merge: false } as const;
  const documents = parseAllDocuments(text, options);
  return "empty" in documents ? [] : documents;
}

/** The parser's error codes in our words; the rest is "not valid YAML". */
const SYNTAX: Record<string, string> = {
  BAD_ALIAS: "this alias (*name) is not valid",
  BAD_DIRECTIVE: "directives (%…) are not supported",
  BAD_DQ_ESCAPE: "this \\ escape is unknown: use '…' instead of \"…\", or write \\\\",
  BAD_INDENT: "the indentation does not fit the lines above",
  BAD_SCALAR_START: "a value that starts with this character must be put in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "a second key on one line: a value that holds a colon and a space must be put in quotes",
  DUPLICATE_KEY: "this key stands here a second time",
  MISSING_CHAR: "a closing quote, a bracket, a comma or a colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key goes over several lines: is a colon missing?",
  TAB_AS_INDENT: "a tab indents this line: YAML wants spaces",
  TAG_RESOLVE_FAILED: "tags (!name) are not supported",
};

/** Tags that say what a plain config says anyway. */
const PLAIN_TAG = /^(!|tag:yaml\.org,2002:(str|int|float|bool|null|seq|map))$/;

/** Walks a parsed document and reports what YAML allows and a config does not. */
class Inspection {
  readonly #report: (offset: number, message: string, path?: ConfigPath) => void;
  /** What each anchor (&name) stands for so far: `alias.resolve` would search the whole document every time. */
  readonly #anchors = new Map<string, Node>();
  /** How many values each node stands for, once counted. */
  readonly #sizes = new Map<Node, number>();
  #tooLarge = false;

  constructor(report: (offset: number, message: string, path?: ConfigPath) => void) {
    this.#report = report;
  }

  all(root: Node): void {
    this.#size(root, [], new Set());
  }

  /** The number of values that `node` stands for, aliases filled in. */
  #size(node: Node | null, path: ConfigPath, above: ReadonlySet<Node>): number {
    if (!node || this.#tooLarge) return 1;
    if (node instanceof Alias) return this.#aliased(node, path, above);
    const inside = new Set(above).add(node);
    if (node.anchor) this.#anchors.set(node.anchor, node);
    if (node.tag && !PLAIN_TAG.test(node.tag)) this.#report(offset(node), SYNTAX.TAG_RESOLVE_FAILED!, path);
    if (inside.size > DEEPEST) {
      this.#tooLarge = true;
      this.#report(offset(node), "lists and mappings are nested too deeply", path);
      return 1;
    }
    let size = 1;
    if (isSeq(node)) {
      node.items.forEach((item, index) => size += this.#size(item as Node, [...path, index], inside));
    } else if (isMap(node)) {
      for (const pair of node.items as Pair<Node, Node | null>[]) {
        const key = this.#key(pair.key, path);
        if (key !== undefined) size += this.#size(pair.value, [...path, key], inside);
      }
    }
    if (size > MOST_VALUES && !this.#tooLarge) {
      this.#tooLarge = true;
      this.#report(offset(node), `more than ${MOST_VALUES} values, aliases (*name) filled in`, path);
    }
    this.#sizes.set(node, size);
    return size;
  }

  #aliased(alias: Alias, path: ConfigPath, above: ReadonlySet<Node>): number {
    const target = this.#anchors.get(alias.source);
    if (!target) this.#report(offset(alias), "no anchor (&name) of this name stands above", path);
    else if (above.has(target)) {
      this.#report(offset(alias), "this alias stands within what it stands for", path);
    }
    return target && this.#sizes.get(target) || 1;
  }

  #key(key: Node | null, path: ConfigPath): string | undefined {
    if (isScalar(key) && typeof key.value === "string") {
      if (key.value === "<<") {
        this.#report(offset(key), "merge keys (<<) are not supported: write the keys out", path);
      } else if (key.value !== "__proto__") return key.value; // toJS and the schema would pass over that one
      else this.#report(offset(key), "unknown key", path);
    } else {
      this.#report(offset(key), "a key must be text: put it in quotes", path);
    }
    return undefined;
  }
}

/** Where the value at `path` begins; an absent value stands for the nearest parent's key. */
function offsetOf(document: Document.Parsed, path: ConfigPath, part: "key" | "value"): number {
  let node: Node | null = document.contents;
  let [key, value] = [offset(node), offset(node)];
  for (const step of path) {
    if (node instanceof Alias) node = node.resolve(document) ?? null;
    if (isSeq(node) && typeof step === "number") {
      node = (node.items[step] ?? null) as Node | null;
      if (!node) return key;
      key = value = offset(node);
    } else if (isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[])
        .find((pair) => isScalar(pair.key) && pair.key.value === step);
      if (!pair) return key;
      node = pair.value;
      key = offset(pair.key);
      // `key:` with nothing after it: its value stands nowhere.
      value = !node || isScalar(node) && node.source === "" && node.value === null ? key : offset(node);
    } else {
      return key;
    }
  }
  return part === "key" ? key : value;
}

function offset(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
