import assert from "node:assert/strict";
import { collect, fromUtf8, streamOf } from "../../src/base/bytes.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import type { StartOptions } from "../../src/base/world.ts";
import { failure } from "./failure.ts";
import { Scratch } from "./scratch.ts";

const MIB = 1024 * 1024;

function start(script: string, options: Partial<StartOptions> = {}) {
  return denoWorld().start(["sh", "-c", script], { signal: new AbortController().signal, ...options });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<string> {
  return fromUtf8(await collect(stream, 64 * MIB, "the output"), "the output");
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a process is at work; one that has ended and that nobody has asked about counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

async function becomesDead(pid: number): Promise<void> {
  for (let waited = 0; isAlive(pid); waited += 20) {
    assert.ok(waited < 5000, `process ${pid} is still there`);
    await pause(20);
  }
}

Deno.test("a program's output, errors and exit code arrive", async () => {
  await using program = start("printf out; printf err >&2; exit 7");
  assert.equal(await all(program.stdout), "out");
  const { code, stderr, fed } = await program.ended;
  assert.deepEqual([code, fromUtf8(stderr, "stderr"), fed], [7, "err", true]);
});

Deno.test("a stream goes in and comes out, however large", async () => {
  const sent = crypto.getRandomValues(new Uint8Array(MIB / 16));
  let left = 128;
  const input = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(sent);
      else controller.close();
    },
  });
  await using program = start("cat", { stdin: input });
  const got = await collect(program.stdout, 64 * MIB, "the output");
  assert.equal(got.length, 128 * sent.length);
  for (let at = 0; at < got.length; at += sent.length) {
    assert.ok(sent.every((byte, index) => got[at + index] === byte));
  }
  assert.equal((await program.ended).fed, true);
});

Deno.test("a program waits as long as nobody reads its output, and that is not held against it", async () => {
  await using program = start(`head -c ${16 * MIB} /dev/zero`, { silence: 150 });
  let ended = false;
  program.ended.then(() => ended = true, () => {});
  const reader = program.stdout.getReader();
  let size = (await reader.read()).value!.length;
  await pause(600);
  assert.equal(ended, false, "all of it was read ahead");
  for (let part = await reader.read(); part.value; part = await reader.read()) size += part.value.length;
  assert.equal(size, 16 * MIB);
  assert.equal((await program.ended).code, 0);
});

Deno.test("a program that says nothing while nobody asks is not silent", async () => {
  await using program = start("echo one; sleep 0.6; echo two", { silence: 200 });
  const reader = program.stdout.getReader();
  assert.equal(fromUtf8((await reader.read()).value!, "output"), "one\n");
  await pause(700);
  assert.equal(fromUtf8((await reader.read()).value!, "output"), "two\n");
  assert.equal((await reader.read()).done, true);
});

Deno.test("a program that waits for slow input is not silent", async () => {
  const input = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await pause(500);
      controller.enqueue(new TextEncoder().encode("late"));
      controller.close();
    },
  });
  await using program = start("cat", { stdin: input, silence: 150 });
  assert.equal(await all(program.stdout), "late");
});

for (
  const [what, script, options] of [
    ["says nothing", "sleep 60", {}],
    ["says something and then nothing", "echo begun; sleep 60", {}],
    ["closes its output and goes on", "exec >&- 2>&-; sleep 60", {}],
    ["does not take its input", "sleep 60", { stdin: new Uint8Array(MIB) }],
  ] as const
) {
  Deno.test(`a program that ${what} is ended after a time of silence`, async () => {
    await using program = start(script, { ...options, silence: 200, apart: true });
    await failure(
      all(program.stdout).then(() => program.ended),
      "transient",
      /^"sh" gave no sign of life for 0\.2 s$/,
    );
    await failure(program.ended, "transient");
  });
}

Deno.test("the first word may take longer than the next ones", async () => {
  await using program = start("sleep 0.5; echo one; sleep 60", { silence: 200, silenceAtFirst: 5000 });
  const reader = program.stdout.getReader();
  assert.equal(fromUtf8((await reader.read()).value!, "output"), "one\n");
  await failure(reader.read(), "transient", /for 0\.2 s/);
});

Deno.test("a program that talks for too long is ended too", async () => {
  await using program = start("while :; do echo on; sleep 0.05; done", { timeout: 300, silence: 5000 });
  await failure(all(program.stdout), "transient", /^"sh" did not end within 0\.3 s$/);
});

Deno.test("an abort ends a program that does not want to, and all that it has started", async () => {
  const controller = new AbortController();
  const script = "trap '' TERM; sleep 900 & echo $$ $!; sleep 900";
  await using program = start(script, { signal: controller.signal, apart: true });
  const reader = program.stdout.getReader();
  const pids = fromUtf8((await reader.read()).value!, "output").trim().split(" ").map(Number);
  assert.deepEqual(pids.map(isAlive), [true, true]);
  controller.abort();
  await failure(reader.read(), "cancelled");
  await failure(program.ended, "cancelled");
  for (const pid of pids) await becomesDead(pid);
});

Deno.test("the reason of an abort is what is thrown", async () => {
  const controller = new AbortController();
  await using program = start("sleep 60", { signal: controller.signal });
  controller.abort(new AppError("locked", "made-up reason"));
  await failure(all(program.stdout), "locked", /made-up reason/);
  await failure(() => start("true", { signal: controller.signal }), "locked");
});

for (const way of ["cancelling its output", "disposing of it"]) {
  Deno.test(`${way} ends a program`, async () => {
    const program = start("echo $$; exec sleep 60");
    const reader = program.stdout.getReader();
    const pid = Number(fromUtf8((await reader.read()).value!, "output"));
    if (way === "disposing of it") await program[Symbol.asyncDispose]();
    else await reader.cancel();
    await failure(program.ended, "cancelled");
    assert.equal(isAlive(pid), false);
  });
}

Deno.test("a program whose input fails is never shown its end", async () => {
  await using scratch = await Scratch.make();
  const input = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("half")),
    async pull() {
      await pause(200);
      throw new AppError("corrupt", "the source broke off");
    },
  });
  const script = `cat > "$TO"; cp "$TO" "$TO.whole"`;
  await using program = start(script, { stdin: input, env: { TO: scratch.file("out") } });
  await failure(all(program.stdout), "corrupt", /the source broke off/);
  await failure(program.ended, "corrupt");
  await pause(100);
  assert.deepEqual(scratch.names(), ["out"]);
});

Deno.test("a program may end without reading its input, and it is told", async () => {
  await using program = start("echo enough; exit 3", { stdin: new Uint8Array(8 * MIB) });
  assert.equal(await all(program.stdout), "enough\n");
  const { code, fed } = await program.ended;
  assert.deepEqual([code, fed], [3, false]);
});

Deno.test("of very long errors the end is kept", async () => {
  await using program = start("head -c 3000000 /dev/zero | tr '\\0' x >&2; printf 'the end' >&2");
  assert.equal(await all(program.stdout), "");
  const { stderr } = await program.ended;
  assert.equal(stderr.length, 64 * 1024);
  assert.match(fromUtf8(stderr, "stderr"), /^x+the end$/);
});

Deno.test("variables are added to the environment and taken away from it", async () => {
  Deno.env.set("VAULTFERRY_TEST_KEPT", "kept");
  Deno.env.set("VAULTFERRY_TEST_GONE", "gone");
  try {
    const env = { VAULTFERRY_TEST_NEW: "new", VAULTFERRY_TEST_GONE: undefined };
    await using program = start("env", { env });
    const lines = (await all(program.stdout)).split("\n").filter((line) => /^VAULTFERRY_TEST_/.test(line));
    assert.deepEqual(lines.sort(), ["VAULTFERRY_TEST_KEPT=kept", "VAULTFERRY_TEST_NEW=new"]);
  } finally {
    Deno.env.delete("VAULTFERRY_TEST_KEPT");
    Deno.env.delete("VAULTFERRY_TEST_GONE");
  }
});

Deno.test("what a program leaves behind in its pipes holds nobody up", async () => {
  await using program = start("sleep 60 & echo $!");
  const pid = Number(await all(program.stdout));
  try {
    assert.equal((await program.ended).code, 0);
    assert.ok(isAlive(pid));
  } finally {
    Deno.kill(pid, "SIGKILL");
  }
});

Deno.test("a program that is not there, or may not be run, is said to be so", async () => {
  await using scratch = await Scratch.make();
  const world = denoWorld();
  const options = { signal: new AbortController().signal, timeout: 1000 };
  await failure(() => world.start(["/no/such/program"], options), "not-found", /"\/no\/such\/program"/);
  const path = await scratch.write("data", "no program", 0o600);
  await failure(() => world.start([path], options), "denied", /may not be run$/);
  await failure(() => world.start([], options), "misconfigured");
  await failure(world.run(["/no/such/program"], options), "not-found");
});

Deno.test("run keeps the whole of what a program says", async () => {
  const world = denoWorld();
  const { signal } = new AbortController();
  const stdin = new Uint8Array(await new Response(streamOf(new Uint8Array(200_000).fill(97))).arrayBuffer());
  const { code, stdout } = await world.run(["cat"], { signal, timeout: 10_000, stdin });
  assert.deepEqual([code, stdout.length], [0, stdin.length]);
  await failure(
    world.run(["sleep", "60"], { signal, timeout: 100 }),
    "transient",
    /did not end within 0\.1 s/,
  );
});
