import type { AccountDescription } from "./description.ts";
import { documents } from "./sample/documents.ts";
import { everyCategory } from "./sample/every_category.ts";
import { everyday } from "./sample/everyday.ts";
import { hostile } from "./sample/hostile.ts";

/**
 * A small account with all that a backup must get right: every category and every kind of field, attachments and
 * documents, archived items, tags, writing systems from everywhere, and names that wreck careless file systems.
 * Every secret in it is plainly made up.
 */
export function sampleAccount(): AccountDescription {
  return { name: "Sample account", vaults: [everyday, everyCategory, documents, hostile] };
}
