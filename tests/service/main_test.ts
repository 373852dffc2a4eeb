import assert from "node:assert/strict";
import sdk from "@1password/sdk";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const PERMISSIONS = ["--allow-net=127.0.0.1", "--allow-read", "--allow-write", "--allow-env", "--allow-sys"];

function command(...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, MAIN, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `the service runs until ${signal}, with a token that only its owner can read`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      const directory = await Deno.makeTempDir();
      const tokenFile = join(directory, "token");
      await Deno.writeTextFile(tokenFile, "something old");
      const child = command("--token-file", tokenFile).spawn();
      const output = new Output(child.stdout);
      await output.until(/stop: +Ctrl\+C/);

      assert.equal((await Deno.stat(tokenFile)).mode! & 0o777, 0o600);
      const token = (await Deno.readTextFile(tokenFile)).trim();
      const client = await sdk.createClient({ auth: token, integrationName: "t", integrationVersion: "1" });
      assert.equal((await client.vaults.list()).length, 4);

      child.kill(signal);
      const [status] = await Promise.all([child.status, output.rest(), child.stderr.cancel()]);
      assert.deepEqual([status.code, status.signal], [0, null]);
      assert.match(output.text, /stopped after 6 requests/);
      await assert.rejects(Deno.stat(tokenFile), Deno.errors.NotFound);
      await Deno.remove(directory, { recursive: true });
    },
  });
}

Deno.test("wrong arguments end with 2 and the usage", async () => {
  for (
    const args of [["--port", "x"], ["--account", "huge"], ["--latency", "1e3"], ["--nonsense"], ["stray"]]
  ) {
    const { code, stderr } = await command(...args).output();
    assert.equal(code, 2, args.join(" "));
    assert.match(new TextDecoder().decode(stderr), /^service: error: .+\n\nusage: /);
  }
});

Deno.test("a port that is taken is an error without a stack", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await command("--port", String(taken.addr.port)).output();
  taken.close();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /^service: error: [^\n]*in use[^\n]*\n$/);
});

Deno.test("--help shows the usage", async () => {
  const { code, stdout } = await command("--help").output();
  assert.equal(code, 0);
  assert.match(new TextDecoder().decode(stdout), /^usage: /);
});

/** What a process prints, to be waited for. */
class Output {
  text = "";
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until this has been printed. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      if (!await this.#more()) throw new Error(`the process ended without ${pattern}:\n${this.text}`);
    }
  }

  /** Reads to the end. */
  async rest(): Promise<void> {
    while (await this.#more());
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    this.text += value ?? "";
    return !done;
  }
}
