import { z } from "zod";
import type { SourcePlugin } from "../../../src/source/plugin.ts";
import { openExport } from "./open_export.ts";

const config = z.strictObject({
  path: z.string().min(1).meta({ description: "a .1pux file that the 1Password app exported" }),
});

/** An export that somebody made with the 1Password app. */
export const onepux: SourcePlugin = {
  type: "onepux",
  summary: "a 1PUX file that was exported with the 1Password app",
  config,
  open: (given, context, signal) => openExport(config.parse(given).path, context, signal),
};
