/** A file that somebody changes between the pass that checks it and the pass that extracts. */
import assert from "node:assert/strict";
import { checkArchive, visitEntries } from "../../src/archive/read.ts";
import { archiveOf, piecesOf, sealedOf, SMALL } from "./bench.ts";
import { failure } from "../base/failure.ts";

Deno.test("what was checked is what is extracted: another genuine archive in its place is refused", async () => {
  const checked = await archiveOf(SMALL);
  const fewer = await archiveOf(SMALL.slice(0, 1));
  const same = await archiveOf(SMALL);
  for (const [swapped, fine] of [[checked, true], [same, true], [fewer, false]] as const) {
    let opened = 0;
    const sealed = sealedOf(checked, {
      open: () => Promise.resolve(piecesOf(opened++ === 0 ? checked : swapped, 1000)),
    });
    const visited: string[] = [];
    const whole = visitEntries(sealed, await checkArchive(sealed), async ({ path, body }) => {
      for await (const _ of body);
      visited.push(path);
    });
    if (!fine) {
      await failure(whole, "corrupt", /changed while it was read/);
      continue;
    }
    await whole;
    assert.ok(visited.includes("manifest.json") && visited.length > SMALL.length);
  }
});
