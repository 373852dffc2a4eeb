/** Debian's `rclone serve webdav` on a folder of its own. */
import { startChild } from "../child.ts";
import { plantFile } from "./folder.ts";

export async function startRclone(user: string, password: string) {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-rclone-" });
  await Deno.mkdir(`${folder}/backups`);
  const child = await startChild({
    program: "rclone",
    args: (port) => ["serve", "webdav", "--addr", `127.0.0.1:${port}`, "--dir-cache-time", "0s", folder],
    env: { RCLONE_USER: user, RCLONE_PASS: password, RCLONE_CONFIG: "" },
  });
  return {
    port: child.port,
    path: "/backups/",
    folder: `${folder}/backups`,
    plant: (name: string) => plantFile(`${folder}/backups`, name),
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
