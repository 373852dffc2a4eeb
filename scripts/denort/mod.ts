/**
 * Deno 2.7.11 and its base runtimes from npm, for machines that cannot reach Deno's own host, such as the one that
 * tests this project. A release is compiled with the official runtime of the Deno that compiles it.
 *
 * `deno run -A scripts/denort/mod.ts PLATFORM…` fetches runtimes and prints their paths; platforms are as in npm's
 * names, such as linux-arm64.
 *
 * The packages `@stdy/cli-…` ship an executable made by `deno compile`: it holds the release runtime. Everything is
 * checked by its SHA-256, when it is fetched and again whenever it is used.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { arch, homedir, platform } from "node:os";
import { join } from "node:path";
import { cutElf, cutMachoArm64, cutMachoX64, cutPe } from "./cut.ts";

export const VERSION = "2.7.11";

interface Artifact {
  package: string;
  /** Inside the package. */
  file: string;
  cut(bytes: Uint8Array): Uint8Array;
  sha256: string;
}

/** The only platform for which npm has Deno 2.7.11 itself. */
const DENO: Record<string, Artifact> = {
  "linux-x64": {
    package: `@deno/linux-x64-glibc@${VERSION}`,
    file: "deno",
    cut: (bytes) => bytes,
    sha256: "e518fbc96877fbc2b37820ec54a02e473166cb25a5d4d627ffde37360fd7d210",
  },
};

const RUNTIMES: Record<string, Artifact> = {
  "linux-x64": runtime(
    "linux-x64",
    cutElf,
    "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6",
  ),
  "linux-arm64": runtime(
    "linux-arm64",
    cutElf,
    "9c888d915647ff971a497acd39ee45ea63da5f19d12d4363124942c257c055ef",
  ),
  "win32-x64": runtime(
    "win32-x64",
    cutPe,
    "714afa06b9aa9eae56bcb97b22e832c4325272b5fb735a8207146c2b23868d0b",
  ),
  "darwin-x64": runtime(
    "darwin-x64",
    cutMachoX64,
    "5fcbe8f4ce62355bbbfa3688fe72fa777054ed634de6d6fbe256bd4f12556e99",
  ),
  "darwin-arm64": runtime(
    "darwin-arm64",
    cutMachoArm64,
    "905e502336571de23a06b3617bcbc170d2837c45cc140ebf7d11e0ab32c46a33",
  ),
};

function runtime(platform: string, cut: Artifact["cut"], sha256: string): Artifact {
  const file = platform.startsWith("win") ? "bin/steady.exe" : "bin/steady";
  return { package: `@stdy/cli-${platform}@0.22.2`, file, cut, sha256 };
}

/** The path of Deno 2.7.11 for this machine. */
export function denoFromNpm(): Promise<string> {
  return kept("deno", DENO, `${platform()}-${arch()}`);
}

/** The path of the base runtime for a platform. */
export function denortFromNpm(platform: string): Promise<string> {
  return kept("denort", RUNTIMES, platform);
}

async function kept(name: string, artifacts: Record<string, Artifact>, platform: string): Promise<string> {
  const artifact = artifacts[platform];
  if (!artifact) {
    const known = Object.keys(artifacts).join(", ");
    throw new Error(`npm has no ${name} ${VERSION} for ${platform}, only for ${known}`);
  }
  const folder = join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "vaultferry-build");
  const path = join(folder, `${name}-${VERSION}-${platform}`);
  if (await sha256(path) === artifact.sha256) return path;
  await Deno.mkdir(folder, { recursive: true });
  const fresh = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(fresh, artifact.cut(await fromNpm(artifact)), { mode: 0o755 });
    const found = await sha256(fresh);
    if (found !== artifact.sha256) {
      throw new Error(`${artifact.package} has changed: SHA-256 ${found} instead of ${artifact.sha256}`);
    }
    await Deno.rename(fresh, path);
  } finally {
    await Deno.remove(fresh).catch(() => {});
  }
  return path;
}

async function sha256(path: string): Promise<string | undefined> {
  try {
    return createHash("sha256").update(Buffer.from(await Deno.readFile(path))).digest("hex");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** One file of a package, by npm itself, so that its settings for registries and proxies hold. */
async function fromNpm({ package: name, file }: Artifact): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-npm-" });
  try {
    await run("npm", ["pack", "--silent", name], folder);
    const archives = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((one) =>
      one.endsWith(".tgz")
    );
    await run("tar", ["-xzf", archives[0] ?? "", `package/${file}`], folder);
    return await Deno.readFile(join(folder, "package", file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(program: string, args: string[], cwd: string): Promise<void> {
  const command = Deno.build.os === "windows" && program === "npm" ? "npm.cmd" : program;
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}

if (import.meta.main) {
  for (const platform of Deno.args) console.log(await denortFromNpm(platform));
}
