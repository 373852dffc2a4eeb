import assert from "node:assert/strict";
import { filesBelow } from "./secrets.ts";

/** Holds every file below a folder open, so that it sees what lies in their places after they have lost their names. */
export class Witness {
  readonly #held: { path: string; file: Deno.FsFile; content: Uint8Array }[];

  constructor(folder: string) {
    this.#held = [...filesBelow(folder)].map((path) => {
      const content = Deno.readFileSync(path);
      return { path, file: Deno.openSync(path), content };
    }).filter(({ content, file }) => {
      if (content.length === 0) file.close();
      return content.length > 0;
    });
    assert.ok(this.#held.length > 0, `there is nothing in ${folder} yet`);
  }

  close(): void {
    for (const { file } of this.#held) file.close();
  }

  /** All of them are gone, and none of what was in them is in its place. */
  sawItWiped(): void {
    for (const { path, file, content } of this.#held) {
      using _ = file;
      assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
      const now = new Uint8Array(content.length);
      assert.equal(file.readSync(now), content.length, "overwritten, not cut short");
      const same = content.filter((byte, at) => byte === now[at]).length;
      // Noise has the right byte by chance one time in 256.
      assert.ok(
        same <= 4 + content.length / 50,
        `${same} of ${content.length} bytes of ${path} are still there`,
      );
    }
  }
}
