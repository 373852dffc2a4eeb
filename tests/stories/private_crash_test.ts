import assert from "node:assert/strict";
import { Dying } from "./dying.ts";
import { names, story } from "./harness.ts";
import { COMMANDS, expectNoSecret, expectSecret, furnish, GIVEN } from "./private_source.ts";

for (const command of COMMANDS) {
  const name = command.join(" ");
  story(
    `${name}: dead before any one operation on the folder, the next run leaves none`,
    GIVEN,
    async (story) => {
      const place = furnish(story);
      for (let at = 1, all = Infinity; at <= all; at++) {
        expectSecret(story);
        story.clockOffset += 60_000;
        const dying = new Dying(
          at,
          (path) => path.startsWith(`${place}/`) || path.includes("/journal.jsonl"),
        );
        story.files = dying.files();
        const { code, err } = await story.run(...command);
        story.files = {};
        story.clockOffset += 60_000;
        expectNoSecret(story);
        const next = await story.runs(0, ...command);
        assert.deepEqual(names(place), [], `${dying.struck}\n${err}${next.err}`);
        if (dying.struck !== undefined) continue;
        assert.equal(code, 0, err);
        assert.ok(at > 15, "the operations are counted");
        all = at;
      }
    },
  );
}
