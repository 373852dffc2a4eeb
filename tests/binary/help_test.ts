import assert from "node:assert/strict";
import { binary } from "./binary.ts";
import { run } from "./place.ts";

Deno.test("every command of the binary has a help", async (test) => {
  const vaultferry = await binary();
  const seen: string[] = [];
  const visit = async (command: string[]): Promise<void> => {
    const name = command.join(" ");
    let text = "";
    await test.step(`${name} --help`.trim(), async () => {
      const { code, out, err } = await run(vaultferry, [...command, "--help"]);
      assert.deepEqual({ code, err }, { code: 0, err: "" });
      assert(out.startsWith(`Usage: ${["vaultferry", ...command].join(" ")} `), out);
      text = out;
    });
    seen.push(name);
    for (const sub of commandsIn(text)) await visit([...command, sub]);
  };
  await visit([]);
  for (const name of ["backup", "verify", "restore", "keys new", "config check"]) {
    assert(seen.includes(name), name);
  }
});

Deno.test("without arguments that make sense the binary says so", async () => {
  const { code, out, err } = await run(await binary(), ["bakcup"]);
  assert.deepEqual({ code, out }, { code: 2, out: "" });
  assert.match(err, /^vaultferry: error: unknown command 'bakcup'/);
});

/** The names below "Commands:". */
function commandsIn(help: string): string[] {
  const [, section = ""] = /^Commands:\n((?: .*\n)*)/m.exec(help) ?? [];
  return [...section.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!).filter((name) => name !== "help");
}
