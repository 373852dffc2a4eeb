import { plugin } from "../../plugins/destinations/plugin/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type { AppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Clock, World } from "../../src/base/world.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { hurried, never } from "../../src/destination/conformance/clock.ts";

/** Everything that a destination in a file needs, right as it is. */
export const RIGHT = {
  can: `{ read: true, list: true, remove: true, createOnly: false, immutableUntil: false, checksums: [] }`,
  put: `async (key, body) => ({ key, size: body.size })`,
  get: `async () => new ReadableStream()`,
  stat: `async (key) => ({ key, size: 0 })`,
  list: `async function* () {}`,
  remove: `async () => {}`,
  discard: `async () => {}`,
};

/** The text of a plugin that opens a destination with some parts replaced; `undefined` leaves one out. */
export function pluginText(parts: Partial<Record<string, string | undefined>> = {}, before = ""): string {
  const all = Object.entries({ ...RIGHT, ...parts }).filter(([, text]) => text !== undefined);
  const destination = all.map(([name, text]) => `${name}: ${text},`).join("\n");
  return `export default { contract: 1, async open(context, signal) {\n${before}\nreturn {${destination}};\n} };\n`;
}

/** A folder with a plugin in it. */
export class PluginFolder implements AsyncDisposable {
  readonly warnings: string[] = [];
  readonly path: string;

  private constructor(readonly folder: string) {
    this.path = `${folder}/mine.mjs`;
  }

  static async with(text: string): Promise<PluginFolder> {
    const folder = new PluginFolder(await Deno.makeTempDir({ prefix: "vaultferry-own-" }));
    await Deno.writeTextFile(folder.path, text, { mode: 0o644 });
    await Deno.chmod(folder.path, 0o644);
    return folder;
  }

  /** Opens it as the config would; `with` are more settings, or others. */
  async open(
    settings: Record<string, unknown> = {},
    { clock = denoWorld().clock, world = {}, signal = never }: {
      clock?: Clock;
      world?: Partial<World>;
      signal?: AbortSignal;
    } = {},
  ): Promise<Destination> {
    const sha256 = sha256Hex(await Deno.readFile(this.path));
    return await plugin.open("mine", { path: this.path, sha256, ...settings }, {
      world: { ...denoWorld(), clock, ...world },
      secret: () => Promise.resolve(new Secret("made-up-secret-0123456789")),
      warn: (message) => void this.warnings.push(message),
    }, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}

/** The error of a plugin with this text, on a clock on which nobody waits long. */
export async function refusalOf(text: string, settings: Record<string, unknown> = {}): Promise<AppError> {
  await using folder = await PluginFolder.with(text);
  return await folder.open(settings, { clock: hurried(200) }).then(
    () => Promise.reject(new Error("it was opened")),
    (error) => error,
  );
}
