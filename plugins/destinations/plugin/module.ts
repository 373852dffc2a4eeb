import { init, parse } from "es-module-lexer";
import { base64, fromUtf8 } from "../../../src/base/bytes.ts";
import { AppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Clock } from "../../../src/base/world.ts";
import { CONTRACT } from "../../../src/destination/helpers.ts";
import { inOurVoice, scrubbed } from "../../../src/destination/scrub.ts";
import { textOf } from "../../../src/destination/supervised/judge.ts";
import { Watchdog } from "../../../src/destination/watchdog.ts";

/** Seconds for what a module does while it is loaded. */
const LOADING = 30;

/** What a plugin has to export as its default. */
export interface PluginModule {
  open(context: unknown, signal: AbortSignal): unknown;
}

/**
 * Runs a module from its bytes: as a `data:` URL, which holds them itself, so that what is run is what was checked, and
 * which works in the compiled binary too.
 *
 * @throws `misconfigured` where it imports anything, is no module, fails or hangs while it is loaded, or exports no plugin
 */
export async function runModule(
  bytes: Uint8Array,
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<PluginModule> {
  await refuseImports(bytes, path);
  using dog = new Watchdog({ clock, signal, silence: LOADING * 1000 });
  let module: Record<string, unknown>;
  try {
    module = await dog.guard(import(`data:text/javascript;charset=utf-8;base64,${base64(bytes)}`));
  } catch (error) {
    throwIfCancelled(signal);
    if (dog.signal.aborted) throw unfit(path, `did not finish loading within ${LOADING} seconds`);
    throw unfit(path, `cannot be loaded: ${reasonOf(error)}`, error);
  }
  return pluginIn(module, path);
}

/**
 * One file is all there is: what it imported would be run without having been checked. Against mistakes, not against ill
 * will: a plugin has all rights of this program, and can get at anything once it runs.
 */
async function refuseImports(bytes: Uint8Array, path: string): Promise<void> {
  await init;
  let imports;
  try {
    [imports] = parse(fromUtf8(bytes, "it"));
  } catch (error) {
    throw unfit(path, `is no JavaScript module: ${reasonOf(error)}`, error);
  }
  for (const { specifier, type } of imports) {
    if (type === "import-meta" || specifier?.startsWith("node:")) continue;
    throw new AppError(
      "misconfigured",
      specifier
        ? `the plugin ${quoted(path)} imports ${quoted(specifier)}, which its SHA-256 does not cover`
        : `the plugin ${quoted(path)} imports something that only shows when it runs`,
      { hint: "make one file of it with a bundler such as esbuild; only node:… can be imported" },
    );
  }
}

function pluginIn({ default: plugin }: Record<string, unknown>, path: string): PluginModule {
  if (typeof plugin !== "object" || plugin === null) {
    throw unfit(
      path,
      `has no default export: it must end with export default { contract: ${CONTRACT}, open }`,
    );
  }
  const { contract, open } = plugin as { contract?: unknown; open?: unknown };
  if (contract === undefined) {
    throw unfit(path, `does not say which contract it keeps: contract: ${CONTRACT}`);
  }
  if (contract !== CONTRACT) {
    const said = typeof contract === "number" ? String(contract) : "something else";
    throw unfit(path, `keeps contract ${said}, and this vaultferry knows contract ${CONTRACT} only`);
  }
  if (typeof open !== "function") throw unfit(path, 'exports no function "open"');
  return plugin as PluginModule;
}

/** The engine's words without the module itself, which is the URL that it names. */
function reasonOf(error: unknown): string {
  const text = textOf(error)
    .replace(/\s+at data:[^\s,]*,[^\s:]*:(\d+):\d+/g, " (line $1)")
    .replace(/^Parse error @:(\d+):\d+$/s, "it cannot be understood (line $1)")
    .replace(/data:[^\s,]*,\S*/g, "the plugin");
  return inOurVoice(scrubbed(text));
}

function unfit(path: string, why: string, cause?: unknown): AppError {
  return new AppError("misconfigured", `the plugin ${quoted(path)} ${why}`, { cause });
}
