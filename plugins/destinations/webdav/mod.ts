import type { DestinationPlugin } from "../../../src/destination/plugin.ts";
import { webdavSettings } from "./settings.ts";

/** A folder on a WebDAV server: Nextcloud, ownCloud, Apache, a NAS. */
export const webdav: DestinationPlugin = {
  type: "webdav",
  summary: "a folder on a WebDAV server, such as Nextcloud",
  config: webdavSettings,
  place: ["url", "username"],
  async open(name, settings, context, signal) {
    // The reader of XML is loaded only where it is used.
    const { openWebdav } = await import("./open.ts");
    return await openWebdav(name, webdavSettings.parse(settings), context, signal);
  },
};
