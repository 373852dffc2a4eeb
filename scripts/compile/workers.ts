import type { Plugin } from "esbuild";
import { basename, dirname, join } from "node:path";

/** `new URL("./name.ts", import.meta.url)`: how a module names a worker of its own. */
const WORKER = /new URL\(\s*"\.\/([^"]+)\.ts",\s*import\.meta\.url,?\s*\)/g;

/** The modules below these folders that run as workers: no import leads to them. */
export async function findWorkers(root: string, folders: readonly string[]): Promise<string[]> {
  const workers: string[] = [];
  for (const folder of folders) {
    for await (const path of sources(join(root, folder))) {
      for (const [, name] of (await Deno.readTextFile(path)).matchAll(WORKER)) {
        workers.push(join(dirname(path), `${name}.ts`));
      }
    }
  }
  const names = new Set(workers.map((path) => basename(path)));
  if (names.size !== workers.length) throw new Error(`two workers have one name: ${workers.join(", ")}`);
  return workers;
}

/** In the bundle every file lies in one folder, and a worker keeps its own name. */
export function workerUrls(): Plugin {
  return {
    name: "worker-urls",
    setup(build) {
      build.onLoad({ filter: /[/\\](src|plugins)[/\\].*\.ts$/ }, async ({ path }) => {
        const text = await Deno.readTextFile(path);
        const contents = text.replace(WORKER, (_, name) => `new URL("./${name}.mjs", import.meta.url)`);
        return contents === text ? undefined : { contents, loader: "ts" };
      });
    },
  };
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* sources(path);
    else if (path.endsWith(".ts")) yield path;
  }
}
