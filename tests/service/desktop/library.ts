/** Programs that make a library of C, the smallest first. */
const COMPILERS = ["tcc", "cc", "gcc", "clang"];

/**
 * Makes a native library that stands in for the one of 1Password's app: a real Node-API module whose `sendMessage`
 * passes each message on to this port and answers what comes back. What it does is a script inside it, because the
 * least of C is the best: it needs no header and no C library.
 *
 * @throws {Error} when there is no C compiler
 */
export async function makeLibrary(folder: string, port: number): Promise<string> {
  return await compile(`${folder}/libop_sdk_ipc_client.so`, sendingTo(port));
}

/** Makes a library whose module is what `script` comes to. */
export async function compile(library: string, script: string): Promise<string> {
  await Deno.writeTextFile(`${library}.c`, source(script));
  for (const program of COMPILERS) {
    const { success, stderr } = await run(program, [
      "-shared",
      "-nostdlib",
      "-fPIC",
      "-o",
      library,
      `${library}.c`,
    ]);
    if (success) return library;
    if (stderr) throw new Error(`${program}: ${stderr}`);
  }
  throw new Error(`there is no C compiler: install one of ${COMPILERS.join(", ")}; tcc is the smallest`);
}

/** The module's own words. It does without `fetch`, which the program watches and the app's library does not use. */
function sendingTo(port: number): string {
  return `({
    async sendMessage(message) {
      const app = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
      try {
        for (let at = 0; at < message.length;) at += await app.write(message.subarray(at));
        await app.closeWrite();
        const parts = [];
        for (;;) {
          const part = new Uint8Array(65536);
          const length = await app.read(part);
          if (length === null) return new Uint8Array(await new Blob(parts).arrayBuffer());
          parts.push(part.subarray(0, length));
        }
      } finally {
        app.close();
      }
    },
  })`;
}

function source(script: string): string {
  // A string of JSON is one of C too, as long as it is ASCII.
  return `typedef void *value;
int napi_create_string_utf8(void *env, const char *text, unsigned long length, value *result);
int napi_run_script(void *env, value script, value *result);

static const char script[] = ${JSON.stringify(script)};

value napi_register_module_v1(void *env, value exports) {
  value text = 0, module = 0;
  if (napi_create_string_utf8(env, script, sizeof script - 1, &text) != 0) return exports;
  if (napi_run_script(env, text, &module) != 0) return exports;
  return module;
}
`;
}

/** Without \`stderr\` where there is no such program. */
async function run(program: string, args: string[]): Promise<{ success: boolean; stderr?: string }> {
  try {
    const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" })
      .output();
    return { success, stderr: new TextDecoder().decode(stderr) || "it failed" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { success: false };
    throw error;
  }
}
