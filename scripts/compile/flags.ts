/**
 * The flags that are baked into the binary: those of the task "vaultferry", which runs the same program from source,
 * so that both have the same permissions and settings.
 *
 * @throws {Error} when they would give every permission, or leave it to a prompt
 */
export async function runtimeFlags(root: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`)) as {
    tasks: Record<string, { command: string } | undefined>;
  };
  // A word in single quotes may hold spaces, as paths of Windows do.
  const words = (tasks["vaultferry"]?.command ?? "").match(/'[^']*'|\S+/g)
    ?.map((word) => word.replace(/^'(.*)'$/, "$1")) ?? [];
  const flags = words.filter((word) => word.startsWith("-"));
  if (words.join(" ") !== ["deno", "run", ...flags, "main.ts"].join(" ")) {
    throw new Error('the task "vaultferry" is not "deno run FLAGS main.ts"');
  }
  if (flags.some((flag) => /^(-A|--allow-all|-P.*|--permission-set.*)$/.test(flag))) {
    throw new Error('the task "vaultferry" must name its permissions one by one');
  }
  if (!flags.includes("--no-prompt")) throw new Error('the task "vaultferry" must say --no-prompt');
  return flags;
}
