import assert from "node:assert/strict";
import { findLibrary, LIBRARIES } from "../../plugins/sources/onepassword_sdk/desktop/library.ts";
import { sdkPlugin } from "../../plugins/sources/onepassword_sdk/mod.ts";
import { runtimeFlags } from "../../scripts/compile/flags.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import type { FileInfo, World } from "../../src/base/world.ts";
import { compile } from "../service/desktop/library.ts";
import { type Story, story } from "../stories/harness.ts";

function useLibrary(story: Story, path: string): void {
  story.registry.sources = [sdkPlugin({ ...LIBRARIES, linux: [path] })];
  story.job.source = { type: "onepassword-sdk", desktop: { account: "Sample family" } };
}

story(
  "without the app on this machine, the hint says what to install and what to turn on",
  {},
  async (story) => {
    useLibrary(story, story.at("no/such/library.so"));
    const { err } = await story.runs(2, "backup");
    assert.match(err, /error: the 1Password app is not installed on this machine\n/);
    assert.match(
      err,
      /hint: install it from https:\/\/1password\.com\/downloads .* Integrate with other apps/,
    );
  },
);

story("a library that is not the app's is no reason to crash", {}, async (story) => {
  const text = story.at("text.so");
  await Deno.writeTextFile(text, "this is no library");
  useLibrary(story, text);
  const { err } = await story.runs(2, "backup");
  assert.match(err, /error: the library of the 1Password app could not be loaded: .*\n.*hint: reinstall/);
  useLibrary(story, await compile(story.at("other.so"), "({ sendMail: () => 1 })"));
  const other = await story.runs(2, "backup");
  assert.match(other.err, /could not be loaded: it is not the 1Password app's library/);
});

Deno.test("the program may load the app's library from where it looks for it, and no other", async () => {
  const flags = await runtimeFlags(new URL("../..", import.meta.url).pathname);
  const allowed = flags.find((flag) => flag.startsWith("--allow-ffi="))!.slice("--allow-ffi=".length).split(
    ",",
  );
  const looked = Object.values(LIBRARIES).flat();
  assert.deepEqual(allowed.filter((path) => /1Password/i.test(path)).toSorted(), looked.toSorted());
});

for (
  const [os, home, own] of [
    ["darwin", "HOME", "/Users/me/Applications/1Password.app/Contents/Frameworks/libop_sdk_ipc_client.dylib"],
    ["windows", "USERPROFILE", "C:/Users/me/AppData/Local/1Password/app/8/op_sdk_ipc_client.dll"],
  ] as const
) {
  Deno.test(`on ${os} an app that was installed for one person only is told from none`, async () => {
    const there = new Set<string>();
    const real = denoWorld();
    const world: World = {
      ...real,
      platform: { ...real.platform, os },
      env: (name) => name === home ? own.slice(0, own.indexOf("/me") + 3) : undefined,
      files: {
        ...real.files,
        stat: (path) =>
          there.has(path)
            ? Promise.resolve({ kind: "file" } as FileInfo)
            : Promise.reject(new AppError("not-found", "it does not exist")),
      },
    };
    await assert.rejects(findLibrary(world), { code: "misconfigured", message: /is not installed/ });
    there.add(own);
    await assert.rejects(findLibrary(world), {
      code: "misconfigured",
      message: /installed for one person only/,
    });
    const [first] = LIBRARIES[os];
    there.add(first!);
    assert.equal(await findLibrary(world), first);
  });
}
