import type { Secret } from "../../../src/base/secret.ts";
import { named } from "../../../src/destination/errors.ts";
import { helpers } from "../../../src/destination/helpers.ts";
import type { DestinationContext, DestinationPlugin } from "../../../src/destination/plugin.ts";
import { inOurVoice, scrubbed } from "../../../src/destination/scrub.ts";
import { orGivenUp } from "../../../src/destination/supervised/attention.ts";
import { SupervisedDestination } from "../../../src/destination/supervised/destination.ts";
import { judged, textOf } from "../../../src/destination/supervised/judge.ts";
import { Watchdog } from "../../../src/destination/watchdog.ts";
import { outside, type PluginContext } from "./context.ts";
import { readPlugin } from "./file.ts";
import type { PluginModule } from "./module.ts";
import { type PluginSettings, settings } from "./settings.ts";

/** A destination of one's own, from a file; docs/plugins.md tells how to write one. */
export const plugin: DestinationPlugin = {
  type: "plugin",
  summary: "a destination of your own, from a file (docs/plugins.md)",
  config: settings,
  async check(name, config, { world }, signal) {
    await named({ name }, "look at the plugin", signal, () => readPlugin(settings.parse(config), world));
  },
  async open(name, config, context, signal) {
    const asked = settings.parse(config);
    const secrets: Secret[] = [];
    return await named({ name, secrets }, "open the plugin", signal, async () => {
      const { world } = context;
      const bytes = await readPlugin(asked, world);
      const given = await secretsOf(asked, context, signal);
      secrets.push(...Object.values(given));
      const { runModule } = await import("./module.ts");
      const module = await runModule(bytes, asked.path, world.clock, signal);
      const warn = (message: unknown) =>
        context.warn(`destination "${name}": ${inOurVoice(scrubbed(textOf(message), secrets))}`);
      const opened = await openModule(
        module,
        {
          ...{ name, helpers, warn, secrets: given, options: structuredClone(asked.options) },
          ...outside(world),
        },
        asked,
        signal,
      );
      return new SupervisedDestination(opened, {
        ...{ name, secrets, clock: world.clock, silence: asked.timeout * 1000, warn: context.warn },
      });
    });
  },
};

async function secretsOf(
  { secrets }: PluginSettings,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<Record<string, Secret>> {
  const given: Record<string, Secret> = {};
  for (const [name, reference] of Object.entries(secrets)) {
    given[name] = await context.secret(reference, signal);
  }
  return given;
}

/** What the plugin's own `open` gives, with an end to waiting for it. */
async function openModule(
  module: PluginModule,
  context: PluginContext,
  { timeout }: PluginSettings,
  signal: AbortSignal,
): Promise<unknown> {
  const { name, clock, secrets } = context;
  using dog = new Watchdog({ clock, signal, silence: timeout * 1000 });
  const opening = (async () => await module.open(Object.freeze(context), dog.signal))();
  try {
    return await orGivenUp(opening, dog.signal, clock);
  } catch (error) {
    // It failed by itself, or opens when nobody wants it any more.
    opening.then((late) => (late as Partial<AsyncDisposable> | undefined)?.[Symbol.asyncDispose]?.())
      .catch(() => {});
    const task = { what: "open the plugin", absence: false, signal: dog.signal };
    throw judged(error, { name, secrets: Object.values(secrets) }, task);
  }
}
