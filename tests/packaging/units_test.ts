import assert from "node:assert/strict";

const UNITS = new URL("../../packaging/systemd/", import.meta.url).pathname;

/** The units with a program that exists: `systemd-analyze` looks for it. */
async function staged(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-units-" });
  for (const name of ["vaultferry.service", "vaultferry.timer"]) {
    const text = await Deno.readTextFile(UNITS + name);
    await Deno.writeTextFile(`${folder}/${name}`, text.replace("/usr/local/bin/vaultferry", "/usr/bin/true"));
  }
  return folder;
}

async function analyze(...args: string[]): Promise<{ success: boolean; said: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("systemd-analyze", { args }).output();
    return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error("systemd-analyze is missing: apt-get install systemd");
    }
    throw error;
  }
}

Deno.test("systemd finds nothing to say about the units, not even a warning", async () => {
  const folder = await staged();
  try {
    const units = [`${folder}/vaultferry.service`, `${folder}/vaultferry.timer`];
    const { success, said } = await analyze("verify", "--recursive-errors=no", ...units);
    assert.ok(success, said);
    assert.equal(said, "");
    // The check can fail: a mistyped key is a warning, which counts.
    await Deno.writeTextFile(
      units[0]!,
      (await Deno.readTextFile(units[0]!)).replace("ProtectHome=", "ProtectHoem="),
    );
    assert.ok(!(await analyze("verify", "--recursive-errors=no", ...units)).success);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the service is exposed as little as a program on the network can be", async () => {
  const folder = await staged();
  try {
    const unit = `${folder}/vaultferry.service`;
    const at = (threshold: number) =>
      analyze("security", "--offline=true", "--no-pager", `--threshold=${threshold}`, unit);
    const { success, said } = await at(15);
    assert.ok(success, said);
    assert.ok(!(await at(5)).success, "the check can fail");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the folders that the service gets are its own alone, and the one for secrets in clear does not stay", async () => {
  const text = await Deno.readTextFile(UNITS + "vaultferry.service");
  for (const kind of ["State", "Cache", "Runtime"]) {
    assert.match(text, new RegExp(`^${kind}Directory=vaultferry$`, "m"));
    assert.match(text, new RegExp(`^${kind}DirectoryMode=0700$`, "m"));
  }
  assert.doesNotMatch(text, /^RuntimeDirectoryPreserve=/m);
});

Deno.test("what another try cannot mend is not tried again, and gaps are not called a success", async () => {
  const text = await Deno.readTextFile(UNITS + "vaultferry.service");
  assert.match(text, /^RestartPreventExitStatus=2 3 13 14 15$/m);
  assert.doesNotMatch(text, /^SuccessExitStatus=/m);
});

Deno.test("the Windows task is what a server needs, where Windows' own defaults are those of a laptop", async () => {
  const text = await Deno.readTextFile(
    new URL("../../packaging/windows/vaultferry-task.xml", import.meta.url),
  );
  const value = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  assert.equal(value("StartWhenAvailable"), "true");
  assert.equal(value("DisallowStartIfOnBatteries"), "false");
  assert.equal(value("StopIfGoingOnBatteries"), "false");
  assert.equal(value("MultipleInstancesPolicy"), "IgnoreNew");
  assert.equal(value("RunOnlyIfNetworkAvailable"), "true");
  assert.equal(value("ExecutionTimeLimit"), "PT4H");
  // Every tag is closed, in order.
  const open: string[] = [];
  for (
    const [, end, name, empty] of text.replace(/<[?!][\s\S]*?>/g, "").matchAll(
      /<(\/?)([A-Za-z]+)[^>]*?(\/?)>/g,
    )
  ) {
    if (end) assert.equal(open.pop(), name);
    else if (!empty) open.push(name!);
  }
  assert.deepEqual(open, []);
});
