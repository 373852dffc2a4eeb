import type { DestinationPlugin } from "../../../src/destination/plugin.ts";
import { azureSettings } from "./settings.ts";

/** A container at Azure Blob Storage, or at what speaks its language. */
export const azureBlob: DestinationPlugin = {
  type: "azure-blob",
  summary: "a container at Azure Blob Storage",
  config: azureSettings,
  place: ["account", "connectionString", "endpoint", "container", "prefix"],
  async open(name, settings, context, signal) {
    // Microsoft's library is loaded only where it is used.
    const { openAzure } = await import("./open.ts");
    return await openAzure(name, azureSettings.parse(settings), context, signal);
  },
};
