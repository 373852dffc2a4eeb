import assert from "node:assert/strict";
import { dirname } from "node:path";
import { local } from "../../plugins/destinations/local/mod.ts";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type { Files } from "../../src/base/world.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import type { Target } from "./target.ts";

const DISK = "a disk has no network in between, and no service that answers";

export const localFolder: Target = {
  name: "local",
  lacks: {
    block: "it writes every body in one piece",
    network: DISK,
    busy: DISK,
    loseAnswer: DISK,
    portal: DISK,
    redirect: DISK,
    wrongCredentials: "a folder has no credentials; permissions are tried in tests/plugins/local_test.ts",
  },
  async start() {
    const path = await Deno.makeTempDir({ prefix: "vaultferry-local-" });
    const faults: Partial<Files> = {};
    const open = (folder = path) =>
      local.open(
        "local",
        { path: folder },
        {
          world: { ...denoWorld(), files: { ...denoFiles, ...faults } },
          secret: () => Promise.reject(new Error("a local folder has no secrets")),
          warn: (message: string) => assert.fail(message),
        },
        new AbortController().signal,
      );
    return {
      prefix: "conformance/",
      open: () => open(),
      faults: {
        missingPlace: () => open(`${path}/absent`),
        truncate: () =>
          strike(faults, (count) => ({
            async link(from, to) {
              await denoFiles.link(from, to);
              if (count() === 1) Deno.truncateSync(to, Math.max(0, Deno.statSync(to).size - 1));
            },
          })),
        full: () =>
          strike(faults, (count) => ({
            create: async (path, mode) => ({
              ...await denoFiles.create(path, mode),
              write: () => {
                count();
                return Promise.reject(
                  new AppError("unknown", `cannot write "${path}": no space left on the device`),
                );
              },
            }),
          })),
        async plant(name) {
          await Deno.mkdir(dirname(`${path}/${name}`), { recursive: true });
          await Deno.writeTextFile(`${path}/${name}`, "planted");
          const intact = () =>
            Deno.readTextFile(`${path}/${name}`).then((text) => text === "planted", () => false);
          return { intact };
        },
      },
      [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
    };
  },
};

/** Replaces file operations until it is disposed of; `count` counts a hit and tells which one it is. */
function strike(faults: Partial<Files>, make: (count: () => number) => Partial<Files>): Promise<Strike> {
  let times = 0;
  const made = make(() => ++times);
  Object.assign(faults, made);
  return Promise.resolve({
    times: () => times,
    [Symbol.asyncDispose]: () => {
      for (const name of Object.keys(made)) delete faults[name as keyof Files];
      return Promise.resolve();
    },
  });
}
