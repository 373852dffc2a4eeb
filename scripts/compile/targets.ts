/** What the binary can be compiled for, and how Deno and npm call it. */
export interface Target {
  /** As in `--target`. */
  triple: string;
  /** As in npm's package names. */
  npm: string;
  exe: string;
}

export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", npm: "linux-x64", exe: "" },
  { triple: "aarch64-unknown-linux-gnu", npm: "linux-arm64", exe: "" },
  { triple: "x86_64-pc-windows-msvc", npm: "win32-x64", exe: ".exe" },
  { triple: "x86_64-apple-darwin", npm: "darwin-x64", exe: "" },
  { triple: "aarch64-apple-darwin", npm: "darwin-arm64", exe: "" },
];

/** The machine that compiles. */
export function hostTarget(): Target {
  return targetOf(Deno.build.target);
}

/** @throws {Error} when there is no such target */
export function targetOf(name: string): Target {
  const found = TARGETS.find(({ triple, npm }) => triple === name || npm === name);
  if (found) return found;
  const names = TARGETS.map(({ triple }) => triple).join(", ");
  throw new Error(`there is no target ${JSON.stringify(name)}: choose one of ${names}`);
}
