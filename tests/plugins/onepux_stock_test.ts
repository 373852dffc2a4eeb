import assert from "node:assert/strict";
import { Bench, contentOf } from "../onepux/bench.ts";
import { ATTRIBUTES, exportEntries, type Json } from "../onepux/export_writer.ts";
import { CONTRACT, sampleExport, SCAN } from "../onepux/sample.ts";
import { writeZip } from "../onepux/zip_writer.ts";

// The tools must be there. Debian: apt-get install -y zip unzip python3

Deno.test("the zips of these tests are zips to unzip and to Python", async () => {
  for (const form of [{}, { stored: true }, { descriptor: true }, { zip64: true }]) {
    const entries = exportEntries(sampleExport()).map((entry) => ({ ...entry, ...form }));
    await using bench = await Bench.of(writeZip(entries, { zip64: "zip64" in form }));
    await shell(bench, `unzip -tq sample.1pux`);
    const out = await shell(
      bench,
      `python3 -c "import zipfile; print(zipfile.ZipFile('sample.1pux').testzip())"`,
    );
    assert.equal(out.trim(), "None");
  }
});

Deno.test("exports packed by zip and by Python read as those written by hand", async () => {
  const packers = [
    "zip -q -r ../packed.1pux .",
    "zip -q -r -0 ../packed.1pux .",
    "zip -q -r -fz ../packed.1pux .",
    "zip -q -r - . > ../packed.1pux",
    `python3 -c "import os, zipfile
z = zipfile.ZipFile('../packed.1pux', 'w', zipfile.ZIP_DEFLATED)
for root, _, names in os.walk('.'):
  for name in names: z.write(os.path.join(root, name), os.path.relpath(os.path.join(root, name), '.'))
z.close()"`,
  ];
  const { data, files } = sampleExport();
  await using byHand = await Bench.of({ data, files: files! });
  const expected = await byHand.read();
  for (const pack of packers) {
    await using bench = await Bench.of(new Uint8Array(0));
    const folder = bench.scratch.file("export");
    await Deno.mkdir(`${folder}/files`, { recursive: true });
    await Deno.writeTextFile(`${folder}/export.attributes`, JSON.stringify(ATTRIBUTES));
    await Deno.writeTextFile(`${folder}/export.data`, JSON.stringify(data));
    for (const [name, content] of Object.entries(files!)) {
      // Slashes cannot be in a name on disk: the id has to do, as with other programs that pack.
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${folder}/files/${name.replaceAll("/", "_")}`, bytes);
    }
    await shell(
      bench,
      `cd export && ${pack} && mv ../packed.1pux ../sample.1pux && chmod 600 ../sample.1pux`,
    );
    const { source, items, vaults, lacking } = await bench.read();
    assert.deepEqual(bench.warnings, [], pack);
    assert.deepEqual({ items, vaults, lacking }, {
      items: expected.items,
      vaults: expected.vaults,
      lacking: [],
    });
    for (const [title, content] of [["Contract", CONTRACT], ["Every kind of field", SCAN]] as const) {
      const item = items.find((one) => one.title === title)!;
      assert.deepEqual(await contentOf(source, item, item.files[0]!), content);
    }
  }
});

Deno.test("an encrypted zip is refused as such", async () => {
  await using bench = await Bench.of(new Uint8Array(0));
  await Deno.writeTextFile(bench.scratch.file("export.attributes"), JSON.stringify(ATTRIBUTES));
  await Deno.writeTextFile(bench.scratch.file("export.data"), "{}");
  await shell(bench, "rm sample.1pux && zip -q -P made-up sample.1pux export.attributes export.data");
  await assert.rejects(bench.open(), (error: Json) => {
    assert.match(error.message, /^"export\.attributes" in ".*" is encrypted$/);
    return error.code === "unsupported";
  });
});

async function shell(bench: Bench, script: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-e", "-o", "pipefail", "-c", script],
    cwd: bench.scratch.path,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.ok(success, `${script}\n${text(stdout)}${text(stderr)}`);
  return text(stdout);
}
