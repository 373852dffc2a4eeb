import assert from "node:assert/strict";
import { parse, stringify } from "yaml";
import { EXAMPLE, load, SMALL } from "./fixture.ts";
import { AppError } from "../../src/base/errors.ts";

/** What people paste into a config by mistake. */
const SECRETS = [
  "AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQ",
  "ops_eyJzaWduSW5BZGRyZXNzIjoibXkuMXBhc3N3b3JkLmNvbSJ9",
  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  "sv=2024-11-04&sig=Zm9vYmFyYmF6cXV4",
  "correct horse, battery: staple!",
  "q3Xv8sL0aZ7tYw2mK9",
];

Deno.test("no message ever holds a secret, wherever in the config it was written", async () => {
  let refused = 0;
  for (const secret of SECRETS) {
    for (const place of placesIn(parse(EXAMPLE))) {
      for (const value of [secret, [secret], { [secret]: secret }, { command: secret }, { x: [secret] }]) {
        const message = await messageOf(stringify(put(parse(EXAMPLE), place, value)));
        if (message === undefined) continue;
        refused++;
        assert.ok(!message.includes(secret), `${place.join(".")}: ${message}`);
        assert.ok(!/eyJzaWdu|wJalrX|Zm9vYm|battery|1QQPQ/.test(message), `${place.join(".")}: ${message}`);
      }
    }
  }
  assert.ok(refused > 500, `only ${refused} were refused`);
});

Deno.test("nor does one of text that is no YAML", async () => {
  for (const secret of SECRETS) {
    for (
      const text of [
        `"${secret}`,
        `'${secret}`,
        `@${secret}`,
        `*${secret}`,
        `!${secret} x`,
        `"\\Q${secret}"`,
        `[${secret}`,
        `{${secret}`,
      ]
    ) {
      for (const line of [`jobs: ${text}`, `  - ${text}`, text, `\t${text}`]) {
        const message = await messageOf(SMALL + line + "\n");
        assert.ok(message !== undefined && !message.includes(secret), message);
      }
    }
  }
});

async function messageOf(text: string): Promise<string | undefined> {
  try {
    await load(text);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error.message + (error.hint ?? "");
  }
}

/** Every path to a value. */
function placesIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, one]) =>
    placesIn(one, [...path, Array.isArray(value) ? Number(key) : key])
  );
  return path.length === 0 ? inner : [path, ...inner];
}

// deno-lint-ignore no-explicit-any -- a config in any shape
function put(root: any, path: (string | number)[], value: unknown): unknown {
  let at = root;
  for (const step of path.slice(0, -1)) at = at[step];
  at[path.at(-1)!] = value;
  return root;
}
