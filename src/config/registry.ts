import type { DestinationPlugin } from "../destination/plugin.ts";
import type { SourcePlugin } from "../source/plugin.ts";

/** The kinds of sources and destinations that this program knows; `plugins/mod.ts` holds the real one. */
export interface Registry {
  sources: readonly SourcePlugin[];
  destinations: readonly DestinationPlugin[];
}
