import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { AccountDescription, ItemDescription } from "../service/mod.ts";
import type { Story } from "./harness.ts";

/** A text that may stand nowhere in clear but in the safe, in a restored folder and in the token file. */
export interface Private {
  what: string;
  text: string;
  /** A name that somebody may give on the command line and then see again. */
  name?: boolean;
}

/** Control characters but for the line feed, and those that reverse text. */
export const MOVES_THE_TERMINAL =
  // deno-lint-ignore no-control-regex -- control characters are exactly what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Shorter texts would be found everywhere. */
const SHORTEST = 8;

/** Passwords, notes, titles and file names of an account. */
export function privateParts(account: AccountDescription): Private[] {
  const parts = account.vaults.flatMap((vault) => (vault.items ?? []).flatMap(partsOf));
  return parts.filter(({ text }) => text.length >= SHORTEST);
}

function partsOf(item: ItemDescription): Private[] {
  const fields = [...item.fields ?? [], ...(item.sections ?? []).flatMap((section) => section.fields ?? [])];
  const files = [...item.files ?? [], ...item.document ? [item.document] : []];
  const values = [
    item.password,
    item.username,
    item.notes?.slice(0, 100),
    ...(item.passwordHistory ?? []).map(({ value }) => value),
    ...fields.map((field) => "value" in field && typeof field.value === "string" ? field.value : undefined),
    ...files.map((file) => "content" in file && typeof file.content === "string" ? file.content : undefined),
  ];
  return [
    ...values.filter((text) => text !== undefined).map((text) => ({ what: "a value of an item", text })),
    ...[item.title, ...files.map(({ name }) => name)].map((text) => ({ what: "a name", text, name: true })),
  ];
}

/**
 * Nothing private is printed, nothing moves the cursor or reverses text, and errors are sentences.
 */
export function checkPrinted(
  story: Story,
  args: readonly string[],
  { out, err }: { out: string; err: string },
): void {
  const keyToStdout = args.includes("-");
  for (const text of [out, err]) {
    for (const { what, text: secret, name } of story.private) {
      if (name && args.some((arg) => arg.includes(secret))) continue;
      assert.ok(!text.includes(secret), `${what} was printed by ${args.join(" ")}: ${secret}\n${text}`);
    }
    if (!keyToStdout) assert.doesNotMatch(text, /AGE-SECRET-KEY-[A-Z0-9]|ops_[A-Za-z0-9]/);
    assert.doesNotMatch(text, MOVES_THE_TERMINAL);
    assert.doesNotMatch(text, /^\s+at .*:\d+/m, "a stack");
    assert.doesNotMatch(text, /\[object|\bundefined\b|\bNaN\b|Error: /);
  }
  for (const line of err.split("\n")) {
    if (line.startsWith("vaultferry: error: ")) {
      assert.doesNotMatch(line, /\.$|^vaultferry: error: [A-Z][a-z]/);
    }
  }
}

/** Nothing private lies in clear on this host or at a destination. */
export function checkStored(story: Story): void {
  const signer = signerOf(story);
  for (const path of filesBelow(story.folder)) {
    const own = path.slice(story.folder.length + 1);
    if (/^(safe|restored)\/|^host\/(token(\.previous)?|vaultferry\.yaml)$/.test(own)) continue;
    if (Deno.statSync(path).size > 8 * 1024 * 1024) continue; // ciphertext, sampled by the small archives
    const bytes = Buffer.from(Deno.readFileSync(path));
    for (const { what, text } of story.private) {
      assert.ok(!bytes.includes(text), `${what} lies in ${own}: ${text}`);
    }
    assert.ok(
      !signer || own === "host/state/signer.key" || !bytes.includes(signer),
      `the signer's key: ${own}`,
    );
    if (own.startsWith("host/state/") && !/\/(signer\.pub|token\.json)$/.test(own)) {
      assert.equal(Deno.statSync(path).mode! & 0o077, 0, `others may read ${own}`);
    }
  }
}

function signerOf(story: Story): string | undefined {
  try {
    return Deno.readTextFileSync(`${story.state}/signer.key`).split("\n")[1];
  } catch {
    return undefined; // none was made yet
  }
}

/** Every file below a folder, links not followed. */
export function* filesBelow(folder: string): Generator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const { name, isDirectory, isFile } of entries) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(path);
    else if (isFile) yield path;
  }
}
