import assert from "node:assert/strict";
import type { Files } from "../../src/base/world.ts";
import type { Story } from "./harness.ts";
import { filesBelow } from "./secrets.ts";

/** What may lie about when a story has ended; everything else is a leftover. */
export class Expected {
  /** Archives that wait in the spool for a destination. */
  spooled = 0;
  /** Files at a destination that somebody else put there. */
  strangers: RegExp = /$^/;
  /** Undertakings of the journal that the next run is to sweep. */
  unfinished = 0;
  /** Folders for secrets in clear that this story's runs have made, wherever that was. */
  readonly #private = new Set<string>();
  /** Set by stories that damage a destination on purpose. */
  damaged = false;

  /** The same files, watched for what is made outside of the story's own folder. */
  watching(files: Files): Files {
    return {
      ...files,
      makeFolder: async (path, mode) => {
        if (PRIVATE.test(path)) this.#private.add(path);
        await files.makeFolder(path, mode);
      },
    };
  }

  check(story: Story): void {
    const own = [...filesBelow(`${story.state}`)].map((path) => path.slice(story.state.length + 1));
    const odd = own.filter((path) => !KEPT.test(path) && !SPOOLED.test(path));
    assert.deepEqual(odd, [], "leftovers on the host");
    assert.equal(own.filter((path) => SPOOLED.test(path)).length, this.spooled, "archives in the spool");
    const unfinished = ["acme", "acme/dry-run"].map((folder) => unfinishedIn(`${story.state}/${folder}`));
    assert.deepEqual(unfinished, [this.unfinished, 0], "unfinished undertakings in the journal");
    for (const name of story.destinations) this.#destination(story, name);
    assert.deepEqual(namesIn(story.at("restored")).filter((name) => name.endsWith(".partial")), []);
    this.#checkPrivate(story);
  }

  /** No secret in clear is left in /dev/shm, in the runtime directory or in the state folder. */
  #checkPrivate(story: Story): void {
    const places = [...(story.env.RUNTIME_DIRECTORY ?? "").split(":"), `${story.state}/private`];
    const left = places.flatMap((place) => namesIn(place).map((name) => `${place}/${name}`));
    const made = [...this.#private].filter((path) =>
      namesIn(parentOf(path)).some((name) => path.endsWith(`/${name}`))
    );
    assert.deepEqual([...left.filter((path) => PRIVATE.test(path)), ...made], [], "private folders");
  }

  #destination(story: Story, name: string): void {
    const root = story.at(name);
    const found = [...filesBelow(root)].map((path) => path.slice(root.length + 1))
      .filter((path) => !this.strangers.test(path) && !/^[a-z0-9-]+\/HOW-TO-OPEN\.txt$/.test(path));
    assert.deepEqual(found.filter((path) => !PART.test(path)), [], `leftovers at ${name}`);
    if (this.damaged) return;
    const parts = Map.groupBy(
      found,
      (path) => path.replace(/\.age\..*/, ".age").replace(/\.json\.sig$/, ".json"),
    );
    const pruned = new Set([...parts.keys()].flatMap((entry) => removedBy(`${root}/${entry}`, name)));
    for (const [entry, files] of parts) {
      // Of what a record says was removed, the manifest and its signature stay.
      const [, file = ""] = entry.split("/");
      const all = entry.endsWith(".record.json") || (pruned.has(file) && files.length < 4) ? 2 : 4;
      assert.equal(files.length, all, `${entry} has all of its parts`);
    }
  }
}

/** The archives that a record at this destination says were removed there. */
function removedBy(path: string, destination: string): string[] {
  if (!path.endsWith(".record.json")) return [];
  const record = JSON.parse(Deno.readTextFileSync(path));
  if (record.kind !== "prune" || record.destination !== destination) return [];
  return record.removes.map(({ archive }: { archive: string }) => archive);
}

const NAME = String.raw`[a-z0-9-]+_\d{8}T\d{6}Z_[0-9a-f]{8}\.tar\.(zst|gz)\.age`;
const KEPT =
  /^(signer\.(key|pub)|[a-z0-9-]+\/(set-aside\/[0-9a-f]{8}\/)?((dry-run\/)?(lock|lock\.holder|journal\.jsonl)|(damaged|delivered|receipts|runs|sent|token)\.json|chain\/\d{8}\.json))$/;
/** As `src/host/private_folder.ts` names them. */
const PRIVATE = /\/vaultferry-[0-9a-f]{32}$/;
const SPOOLED = new RegExp(`^[a-z0-9-]+/spool/${NAME}$`);
const RECORD = String.raw`[a-z0-9-]+_\d{8}T\d{6}Z_[0-9a-f]{8}\.record\.json(\.sig)?`;
const PART = new RegExp(`^[a-z0-9-]+/(${NAME}(\\.sha256|\\.manifest\\.json(\\.sig)?)?|${RECORD})$`);

function unfinishedIn(folder: string): number {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${folder}/journal.jsonl`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
  const open = new Set<string>();
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const { at: _, step, ...undertaking } = JSON.parse(line);
    // A run that failed leaves the next one to look for its spool file; that there is none is checked above.
    if (undertaking.what === "spool") continue;
    if (step === "begin") open.add(JSON.stringify(undertaking));
    else open.delete(JSON.stringify(undertaking));
  }
  return open.size;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
