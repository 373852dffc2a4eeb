/**
 * The shape of the house, checked: imports go down the list of rooms only (type imports included), nothing imports
 * in a circle, plugins know neither the application nor each other, and effects go through the World.
 */

/** Lowest first; the longest match wins. */
const ROOMS = [
  "src/base",
  "src/model",
  "src/policy",
  "src/archive",
  "src/source",
  "src/destination",
  "src/custody",
  "src/host",
  "src/config",
  "src/jobs",
  "plugins",
  "src/cli",
  "main.ts",
];

/** Equals that must not know each other. */
const APART = [["src/source/", "src/destination/"]] as const;

/** The only files that may say `Deno.`. */
const DOORS = [
  "main.ts",
  "src/base/deno_world.ts",
  "src/base/deno_files.ts",
  "src/base/deno_harden.ts",
  "src/base/deno_programs.ts",
  "src/base/deno_sockets.ts",
];

/** Everything that is wrong with the imports below `main.ts`, one sentence each. */
export async function layerProblems(root: string): Promise<string[]> {
  const graph = await importsOf(root);
  const problems: string[] = [];
  for (const [from, tos] of graph) {
    if (roomOf(from) < 0) problems.push(`${from}: belongs to no room`);
    for (const to of tos) problems.push(...judge(from, to));
    problems.push(...effects(from, await Deno.readTextFile(`${root}/${from}`)));
  }
  return [...new Set([...problems, ...circles(graph)])];
}

type Graph = Map<string, string[]>;

interface Dependency {
  code?: { specifier?: string };
  type?: { specifier?: string };
}

async function importsOf(root: string): Promise<Graph> {
  const base = new URL(`file://${root}/`).href;
  // Workers are modules of their own, which no import leads to.
  const roots = ["main.ts", "plugins/sources/onepassword_sdk/core_worker.ts"];
  const graph: Graph = new Map();
  for (const entry of roots) {
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: root,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: { specifier: string; dependencies?: Dependency[] }[];
    };
    for (const { specifier, dependencies = [] } of modules) {
      if (!specifier.startsWith(base)) continue;
      const tos = dependencies.flatMap((one) => [one.code?.specifier, one.type?.specifier])
        .filter((to): to is string => to?.startsWith(base) ?? false)
        .map((to) => to.slice(base.length));
      graph.set(specifier.slice(base.length), [...new Set(tos)]);
    }
  }
  return graph;
}

function judge(from: string, to: string): string[] {
  const problems: string[] = [];
  if (roomOf(to) > roomOf(from)) problems.push(`${from} -> ${to}: imports upward`);
  if (pluginOf(from) && pluginOf(to) && pluginOf(from) !== pluginOf(to)) {
    problems.push(`${from} -> ${to}: a plugin imports another`);
  }
  if (pluginOf(from) && /^src\/(jobs|config)\//.test(to)) {
    problems.push(`${from} -> ${to}: a plugin knows the application`);
  }
  for (const [a, b] of APART) {
    if ((from.startsWith(a) && to.startsWith(b)) || (from.startsWith(b) && to.startsWith(a))) {
      problems.push(`${from} -> ${to}: kept apart`);
    }
  }
  return problems;
}

/** Effects that do not go through the World. */
function effects(file: string, text: string): string[] {
  if (DOORS.includes(file)) return [];
  const said = /(?<![.\w`])(Deno|console)\./.exec(withoutComments(text))?.[1];
  return said ? [`${file}: says ${said}.: effects go through the World`] : [];
}

function roomOf(file: string): number {
  return ROOMS.findIndex((room) => file === room || file.startsWith(`${room}/`));
}

function pluginOf(file: string): string | undefined {
  return /^plugins\/[^/]+\/[^/]+\//.exec(file)?.[0];
}

/** The text without comments, roughly: enough to tell a mention from a use. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "").replace(/"[^"\n]*"/g, '""');
}

function circles(graph: Graph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (done.has(file)) return;
    if (path.includes(file)) {
      found.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
      return;
    }
    for (const to of graph.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}
