import type { Registry } from "../src/config/registry.ts";
import { local } from "./destinations/local/mod.ts";
import { onepux } from "./sources/onepux/mod.ts";
import { onepasswordSdk } from "./sources/onepassword_sdk/mod.ts";

/** Every kind of source and destination that this binary knows: the one place where they are listed. */
export const registry: Registry = {
  sources: [onepasswordSdk, onepux],
  destinations: [local],
};
