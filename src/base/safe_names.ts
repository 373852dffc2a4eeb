/** Whether Windows takes `name` for a device, whatever its ending. */
export function isReserved(name: string): boolean {
  return /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i.test(name);
}

/**
 * A text fit for one line of a terminal or log: control characters, line separators, direction overrides and
 * lone surrogates are shown as `\u{…}`, so that a title cannot move the cursor, forge a line or reverse the text.
 */
export function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- control characters are exactly what is looked for
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * One cell of a TSV file: backslash, tab and line breaks escaped as `\\`, `\t`, `\n`, `\r`; the rest as in
 * {@linkcode printable}. Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, and titles are
 * other people's words: such a cell gets an apostrophe in front, which spreadsheets do not show.
 */
export function tsvCell(text: string): string {
  const cell = printable(
    text.replace(/\\/g, "\\\\").replace(/\t/g, "\\t").replace(/\n/g, "\\n").replace(/\r/g, "\\r"),
  );
  return /^[=+@-]/.test(cell) ? `'${cell}` : cell;
}

/** A value in double quotes for a message, made printable and cut to 200 characters. */
export function quoted(text: string): string {
  const shown = printable(text);
  if (shown.length <= 200) return `"${shown}"`;
  return `"${shown.slice(0, 200).replace(/[\ud800-\udbff]$/, "")}…"`; // not through a character of two units
}
