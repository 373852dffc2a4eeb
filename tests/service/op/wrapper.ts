import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./program.ts", import.meta.url));

/** How the program behaves towards the one that started it. */
export interface Manners {
  /** Ignores the polite request to end. */
  stubborn?: boolean;
  /** Does its work in a child, as a script around `op` would. */
  child?: boolean;
}

/** Writes the program to `path`: a shell script, because a program is started by one path. */
export async function writeWrapper(path: string, address: string, manners: Manners = {}): Promise<void> {
  const command = [Deno.execPath(), "run", "-A", "--no-config", "--no-lock", "--no-check", PROGRAM, address]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const lines = [
    "#!/bin/sh",
    ...(manners.stubborn ? ["trap '' TERM"] : []),
    manners.child ? `${command} "$@"\nexit $?` : `exec ${command} "$@"`,
  ];
  await Deno.writeTextFile(path, lines.join("\n") + "\n", { mode: 0o700 });
}
