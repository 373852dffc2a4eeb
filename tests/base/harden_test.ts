import assert from "node:assert/strict";

Deno.test({
  name: "a hardened process leaves no core dump, and says so where it cannot be done",
  // Other platforms have no /proc to look into.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const world = new URL("../../src/base/deno_world.ts", import.meta.url);
    const code = `
      import { denoWorld } from ${JSON.stringify(world.href)};
      const why = denoWorld().harden();
      const limits = new TextDecoder().decode(
        (await new Deno.Command("cat", { args: ["/proc/" + Deno.pid + "/limits"] }).output()).stdout);
      console.log(JSON.stringify({ why, core: /^Max core file size\\s+(\\S+)\\s+(\\S+)/m.exec(limits)?.slice(1) }));
    `;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, code);
      const run = async (permission: string[]) => {
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", "--allow-run=cat", "--allow-read", ...permission, file],
        }).output();
        assert.ok(stdout.length > 0, new TextDecoder().decode(stderr));
        return JSON.parse(new TextDecoder().decode(stdout));
      };
      assert.deepEqual(await run(["--allow-ffi"]), { core: ["0", "0"] });
      assert.match((await run([])).why, /^core dumps could not be turned off: /);
    } finally {
      await Deno.remove(file);
    }
  },
});
