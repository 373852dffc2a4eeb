import assert from "node:assert/strict";
import { dirname } from "node:path";
import { plugin } from "../../plugins/destinations/plugin/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import type { Target } from "./target.ts";

const EXAMPLE = new URL("../../docs/plugins/rclone.mjs", import.meta.url).pathname;
const PASSWORD = "made-up-password-0123456789";
const NETWORK = "every call is a program of its own: what its network does is rclone's business";

/**
 * The example of docs/plugins.md with Debian's rclone, on a folder. In rclone's place stands a script that goes wrong
 * where it is told to, and that else is rclone.
 */
export const ownPlugin: Target = {
  name: "plugin",
  lacks: {
    block: "rclone decides by itself, for each of its backends, how a body is cut",
    network: NETWORK,
    portal: NETWORK,
    redirect: NETWORK,
  },
  async start() {
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-plugin-" });
    const place = `${folder}/place`, program = `${folder}/rclone`;
    await Deno.mkdir(place);
    await Deno.mkdir(`${folder}/faults`);
    await Deno.writeTextFile(program, SCRIPT, { mode: 0o755 });
    const sha256 = sha256Hex(await Deno.readFile(EXAMPLE));
    const open = (remote: string, password = PASSWORD) =>
      plugin.open(
        "plugin",
        {
          path: EXAMPLE,
          sha256,
          options: { program, remote, arguments: ["--config", "/dev/null"] },
          secrets: { RCLONE_MADE_UP: "env:MADE_UP" },
        },
        {
          world: denoWorld(),
          secret: () => Promise.resolve(new Secret(password)),
          warn: (message: string) => assert.fail(message),
        },
        new AbortController().signal,
      );
    return {
      prefix: "conformance/",
      page: 10, // rclone gives no pages, and a thousand starts of it would tell nothing more
      secrets: [PASSWORD, "wrong-password-9876543210"],
      open: () => open(place), // rclone takes its time by no clock but its own
      faults: {
        wrongCredentials: () => open(place, "wrong-password-9876543210"),
        missingPlace: () => open(`${folder}/absent`),
        busy: (times) => strike(folder, "busy", times),
        loseAnswer: () => strike(folder, "lose-answer", 1),
        truncate: () => strike(folder, "truncate", 1),
        full: () => strike(folder, "full", Infinity),
        async plant(name) {
          const path = `${place}/${name}`;
          await Deno.mkdir(dirname(path), { recursive: true });
          await Deno.writeTextFile(path, "planted");
          return { intact: () => Deno.readTextFile(path).then((text) => text === "planted", () => false) };
        },
      },
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
  },
};

/** A fault is a file with a line for each time that it may strike; what has struck is counted in another. */
async function strike(folder: string, fault: string, times: number): Promise<Strike> {
  const left = `${folder}/faults/${fault}`, struck = `${folder}/faults/${fault}.struck`;
  await Deno.writeTextFile(left, "x\n".repeat(Math.min(times, 1000)));
  await Deno.writeTextFile(struck, "");
  return {
    times: () => Deno.readTextFileSync(struck).length,
    [Symbol.asyncDispose]: () => Deno.remove(left),
  };
}

/** rclone, or what a server behind it would make it say. */
const SCRIPT = `#!/bin/bash
faults="$(dirname "$0")/faults"
due() {
  [ -s "$faults/$1" ] || return 1
  sed -i 1d "$faults/$1"
  printf x >>"$faults/$1.struck"
}
complain() {
  echo "2026/11/27 19:00:00 Failed to do it: $2" >&2
  exit "$1"
}
[ "$RCLONE_MADE_UP" = ${PASSWORD} ] || complain 1 "Unauthorized: 401 Unauthorized"
case " $* " in
  *" rcat "*)
    if due busy; then complain 5 "not now"; fi
    if due full; then complain 1 "no space left on device"; fi
    if due truncate; then head -c -1 | rclone "$@"; exit; fi ;;
  *" moveto "*)
    if due lose-answer; then rclone "$@"; complain 5 "connection reset by peer"; fi ;;
esac
exec rclone "$@"
`;
