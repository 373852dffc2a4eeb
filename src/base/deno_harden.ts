/** Linux's `prctl` option that forbids core dumps and reading the memory of this process. */
const PR_SET_DUMPABLE = 4;
const RLIMIT_CORE = 4;

/** Where the C library is, by platform; `--allow-ffi` in deno.json names the same paths. */
const C_LIBRARIES: Record<string, string[]> = {
  "linux-x86_64": ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"],
  "linux-aarch64": ["/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6"],
  "darwin-x86_64": ["/usr/lib/libSystem.B.dylib"],
  "darwin-aarch64": ["/usr/lib/libSystem.B.dylib"],
};

/**
 * Turns core dumps off: one was seen to hold the service account token. Returns why it could not be done, which is
 * no reason not to back up.
 */
export function harden(): string | undefined {
  const paths = C_LIBRARIES[`${Deno.build.os}-${Deno.build.arch}`];
  if (!paths) return "core dumps cannot be turned off on this platform";
  let why = "";
  for (const path of paths) {
    try {
      return withLibrary(path);
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
  }
  return `core dumps could not be turned off: ${why}`;
}

function withLibrary(path: string): string | undefined {
  const library = Deno.dlopen(path, {
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32", optional: true },
  });
  try {
    // struct rlimit {soft, hard}, both 0.
    const limit = library.symbols.setrlimit(RLIMIT_CORE, new Uint8Array(16));
    const dumpable = Deno.build.os === "linux" ? library.symbols.prctl?.(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n) : 0;
    return limit === 0 && dumpable === 0 ? undefined : "the system refused to turn core dumps off";
  } finally {
    library.close();
  }
}
