import type { DestinationPlugin } from "../../../src/destination/plugin.ts";
import { sftpSettings } from "./settings.ts";

/** A folder of a server that is reached over SSH. */
export const sftp: DestinationPlugin = {
  type: "sftp",
  summary: "a folder on a server that is reached over SSH (SFTP)",
  config: sftpSettings,
  place: ["host", "port", "username", "path"],
  async open(name, settings, context, signal) {
    // The SSH library is loaded only where it is used.
    const { openSftp } = await import("./open.ts");
    return await openSftp(name, sftpSettings.parse(settings), context, signal);
  },
};
