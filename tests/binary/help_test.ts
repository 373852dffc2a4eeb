import assert from "node:assert/strict";
import { binary, emptyProgram } from "./binary.ts";
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

const MOST = 1.6;

Deno.test("the binary starts about as fast as a program that does nothing", async () => {
  const vaultferry = new Stopwatch(await binary(), "--help");
  const nothing = new Stopwatch(await emptyProgram());
  // In turn, so that a busy machine slows both; the more rounds, the nearer to what it would be on an idle one.
  for (let round = 0; round < 150; round++) {
    await vaultferry.measure();
    await nothing.measure();
    if (round >= 20 && vaultferry.shortest <= MOST * nothing.shortest) break;
  }
  const [help, empty] = [vaultferry.shortest, nothing.shortest];
  console.log(`--help ${help.toFixed(1)} ms, an empty program ${empty.toFixed(1)} ms`);
  assert(help <= MOST * empty, `${(help / empty).toFixed(2)} times as long`);
});

class Stopwatch {
  readonly args: string[];
  /** Milliseconds. */
  shortest = Infinity;

  constructor(readonly program: string, ...args: string[]) {
    this.args = args;
  }

  async measure(): Promise<void> {
    const start = performance.now();
    await run(this.program, this.args);
    this.shortest = Math.min(this.shortest, performance.now() - start);
  }
}

/** The names below "Commands:". */
function commandsIn(help: string): string[] {
  const [, section = ""] = /^Commands:\n((?: .*\n)*)/m.exec(help) ?? [];
  return [...section.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!).filter((name) => name !== "help");
}
