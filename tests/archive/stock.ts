/** The programs that people have when vaultferry is gone: a missing one fails the test that needs it. */
import assert from "node:assert/strict";

/** Program → Debian package. */
const PACKAGES: Record<string, string> = {
  "age": "age",
  "age-keygen": "age",
  "zstd": "zstd",
  "gzip": "gzip",
  "tar": "tar",
  "sha256sum": "coreutils",
  "ssh-keygen": "openssh-client",
  "openssl": "openssl",
  "bash": "bash",
};

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Runs a stock program in `folder`; whatever its exit code. */
export async function stock(folder: string, argv: readonly string[], stdin?: Uint8Array): Promise<Outcome> {
  const [program = "", ...args] = argv;
  let child;
  try {
    child = new Deno.Command(program, {
      args,
      cwd: folder,
      stdin: stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    assert.fail(`this test needs the program "${program}": apt-get install ${PACKAGES[program] ?? program}`);
  }
  const feeding = stdin ? new Response(Uint8Array.from(stdin)).body!.pipeTo(child.stdin) : Promise.resolve();
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feeding.catch(() => {})]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Runs a line of shell as our instructions give it; any stage that fails fails the line. */
export async function shell(folder: string, line: string): Promise<string> {
  for (const word of line.match(/(?<=^|\| *|&& *)[a-z0-9-]+/g) ?? []) await present(word);
  const { code, out, err } = await stock(folder, ["bash", "-euo", "pipefail", "-c", line]);
  assert.equal(code, 0, `${line}\n${err}`);
  return out;
}

/** Fails clearly when a program is missing; inside a pipeline it would be an exit code like any other. */
async function present(program: string): Promise<void> {
  const { code } = await stock(".", ["bash", "-c", 'command -v "$0"', program]);
  const from = PACKAGES[program];
  assert.equal(code, 0, `this test needs the program "${program}": apt-get install ${from ?? program}`);
}
