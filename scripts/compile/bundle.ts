import * as esbuild from "esbuild";
import { Buffer } from "node:buffer";
import { builtinModules } from "node:module";
import { basename, dirname, join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import { findWorkers, workerUrls } from "./workers.ts";

export interface Bundle {
  main: string;
  /** Modules that only a worker starts; the compiler does not find them by itself. */
  workers: string[];
  /** Files that are read at run time. */
  data: string[];
}

/** Makes plain JavaScript of the program and its packages: a few small files, each loaded when it is needed. */
export async function bundle(root: string, folder: string): Promise<Bundle> {
  const workers = await findWorkers(root, ["src", "plugins"]);
  const data: string[] = [];
  const named = (path: string) => ({ in: path, out: basename(path).replace(/\.ts$/, "") });
  try {
    await esbuild.build({
      absWorkingDir: root,
      entryPoints: [join(root, "main.ts"), ...workers].map(named),
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "esnext",
      minify: true,
      // Not keepNames: a call for each of many thousand functions makes `--help` 8 ms slower. No package here decides
      // by the name of a class, other than in a message.
      legalComments: "none",
      // ssh2 goes on without its machine code, which it looks for when it is loaded.
      loader: { ".node": "empty" },
      external: ["cpu-features", "*/cpufeatures.node", "*/sshcrypto.node"],
      plugins: [nodeBuiltins(), withoutUnused(), workerUrls(), englishOnly(), sdkCore(folder, data)],
      logLevel: "warning",
      tsconfigRaw: "{}",
    });
  } finally {
    await esbuild.stop();
  }
  await addExpected(folder);
  await normaliseTimes(folder);
  const inBundle = (path: string) => join(folder, `${named(path).out}.mjs`);
  return { main: inBundle("main.ts"), workers: workers.map(inBundle), data };
}

/** What packages in CommonJS expect to find: all that they load by name here are node's own modules. */
const REQUIRE = "const require=(name)=>{const found=process.getBuiltinModule(name);" +
  'if(!found)throw new Error(`there is no module "${name}"`);return found};';
const FILE = 'import{fileURLToPath as __fp}from"node:url";import{dirname as __dn}from"node:path";' +
  "const __filename=__fp(import.meta.url),__dirname=__dn(__filename);";

/** Into the files that use it alone: node's modules for it would take `--help` as long as all the rest. */
async function addExpected(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".mjs")) continue;
    const path = join(folder, name), text = await Deno.readTextFile(path);
    const expected = (/\b__(?:file|dir)name\b/.test(text) ? FILE : "") +
      (/\brequire\b/.test(text) ? REQUIRE : "");
    if (expected !== "") await Deno.writeTextFile(path, expected + text);
  }
}

/** Deno knows node's own modules only as `node:…`. */
function nodeBuiltins(): esbuild.Plugin {
  const known = new Set(builtinModules);
  return {
    name: "node-builtins",
    setup(build) {
      build.onResolve(
        { filter: /^[a-z_/0-9]+$/ },
        ({ path }) => known.has(path) ? { path: `node:${path}`, external: true } : undefined,
      );
    },
  };
}

/** What packages load for what is not used here, and that makes every start longer. */
const UNUSED: readonly [importer: RegExp, path: RegExp][] = [
  // Commands that are programs of their own.
  [/[\\/]commander[\\/]/, /^node:(child_process|fs)$/],
  // A list of blobs as a table of columns.
  [/[\\/]@azure[\\/]/, /^apache-arrow$/],
];

function withoutUnused(): esbuild.Plugin {
  return {
    name: "without-unused",
    setup(build) {
      build.onResolve({ filter: /^(node:(child_process|fs)|apache-arrow)$/ }, ({ importer, path }) => {
        const unused = UNUSED.some(([from, what]) => from.test(importer) && what.test(path));
        return unused ? { path, namespace: "unused" } : undefined;
      });
      build.onLoad({ filter: /^/, namespace: "unused" }, () => ({
        contents: "export default {};",
        loader: "js",
      }));
    },
  };
}

/** zod brings its messages in 50 languages, of which the program speaks one. */
function englishOnly(): esbuild.Plugin {
  return {
    name: "english-only",
    setup(build) {
      build.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
        contents: 'export { default as en } from "./en.js";',
        loader: "js",
      }));
    },
  };
}

/** As small as it gets: all that is in the binary is read at every start. */
const LEVEL = { [constants.ZSTD_c_compressionLevel]: 19 };

/** 1Password's core reads its WebAssembly from a file beside it; here that file is compressed. */
function sdkCore(folder: string, data: string[]): esbuild.Plugin {
  return {
    name: "sdk-core",
    setup(build) {
      build.onLoad({ filter: /sdk-core[/\\]nodejs[/\\]core\.js$/ }, async ({ path }) => {
        const text = await Deno.readTextFile(path);
        const reading = /require\('fs'\)\.readFileSync\(\w+\)/;
        if (!reading.test(text) || !text.includes("core_bg.wasm")) {
          throw new Error("@1password/sdk-core loads its WebAssembly in another way than before");
        }
        const wasm = Buffer.from(await Deno.readFile(join(dirname(path), "core_bg.wasm")));
        const file = join(folder, "core_bg.wasm.zst");
        await Deno.mkdir(folder, { recursive: true });
        await Deno.writeFile(file, zstdCompressSync(wasm, { params: LEVEL }));
        data.push(file);
        // Unpacked in one piece; in the small ones that are usual it takes ten times as long.
        const contents = text.replaceAll("core_bg.wasm", "core_bg.wasm.zst")
          .replace(reading, `require('zlib').zstdDecompressSync($&,{chunkSize:${wasm.length}})`);
        return { contents, loader: "js" };
      });
    },
  };
}

/** The compiler stores times of modification: without this, the same source would give other bytes. */
async function normaliseTimes(folder: string): Promise<void> {
  const always = new Date(Date.UTC(2020, 0, 1));
  for await (const { name } of Deno.readDir(folder)) await Deno.utime(join(folder, name), always, always);
  await Deno.utime(folder, always, always);
}
