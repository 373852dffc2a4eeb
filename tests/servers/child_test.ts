import assert from "node:assert/strict";
import { freePort, missing, startChild } from "./child.ts";

/** A program of this runtime. */
const program = (code: string) => ({
  program: Deno.execPath(),
  args: (port: number) => ["eval", "--ext=js", code.replaceAll("PORT", String(port))],
});

const LISTENS = `
  const server = Deno.listen({ hostname: "127.0.0.1", port: PORT });
  console.log("listening"); console.error("to standard error");
  for await (const one of server) one.close();
`;

Deno.test("a server is there when it is started, and gone when it is disposed of", async () => {
  let port: number;
  {
    await using child = await startChild(program(LISTENS));
    port = child.port;
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.match(child.log(), /listening/);
    assert.match(child.log(), /to standard error/);
  }
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

Deno.test("one that does not start shows its log", async () => {
  await assert.rejects(
    startChild(program(`console.error("no such module"); Deno.exit(3)`)),
    /did not start:[\s\S]*no such module/,
  );
  await assert.rejects(
    startChild({ ...program(`console.log("asleep"); setInterval(() => {}, 1000)`), patience: 1500 }),
    /did not start:[\s\S]*asleep/,
  );
});

Deno.test("one that heeds no polite signal is ended all the same", async () => {
  const before = performance.now();
  {
    await using child = await startChild(program(`Deno.addSignalListener("SIGTERM", () => {}); ${LISTENS}`));
    assert.ok(child.port > 0);
  }
  assert.ok(performance.now() - before < 15_000);
});

Deno.test("a port that is free, a program that is missing", async () => {
  const port = freePort();
  using _ = Deno.listen({ hostname: "127.0.0.1", port });
  assert.equal(await missing(Deno.execPath(), "--version"), undefined);
  assert.match((await missing("no-such-program-anywhere"))!, /"no-such-program-anywhere" cannot be run/);
});
