import { isDeepStrictEqual } from "node:util";
import { type Client, ItemState } from "@1password/sdk";

/** What a comparison of a restored folder with a signed-in SDK has found. */
export interface Comparison {
  same: { items: number; files: number };
  /** What the archive says it could not contain. */
  limits: string[];
  differences: string[];
}

/** Compares every item (as the SDK gives it) and every file with the restored folder. */
export async function compareWithService(client: Client, folder: string): Promise<Comparison> {
  const manifest = JSON.parse(await Deno.readTextFile(`${folder}/manifest.json`));
  const limits = manifest.limits as { itemId: string; reason: string }[];
  const result: Comparison = {
    same: { items: 0, files: 0 },
    limits: limits.map((one) => `${one.reason} of item ${one.itemId}`),
    differences: [],
  };
  for (const vault of await client.vaults.list()) {
    const overviews = await client.items.list(vault.id, {
      type: "ByState",
      content: { active: true, archived: true },
    });
    for (const overview of overviews) {
      const path = `${folder}/vaults/${vault.id}/items/${overview.id}.json`;
      const restored = JSON.parse(await Deno.readTextFile(path));
      if (overview.state === ItemState.Archived) {
        const named = limits.some((one) => one.itemId === overview.id && one.reason === "archived-contents");
        if (!named) result.differences.push(`archived item ${overview.id} is not named as a limit`);
        continue;
      }
      const item = await client.items.get(vault.id, overview.id);
      if (isDeepStrictEqual(plain(item), plain(restored.raw))) result.same.items++;
      else result.differences.push(`item ${overview.id} (${overview.title})`);
      const files = [...item.files.map((one) => one.attributes), ...(item.document ? [item.document] : [])];
      for (const file of files) {
        const body = Uint8Array.from(await client.items.files.read(vault.id, item.id, file));
        const kept = await Deno.readFile(`${folder}/vaults/${vault.id}/files/${item.id}/${file.id}`);
        if (isDeepStrictEqual(body, new Uint8Array(kept))) result.same.files++;
        else result.differences.push(`file ${file.id} of item ${item.id}`);
      }
    }
  }
  return result;
}

/**
 * As JSON, with times in one form (the SDK's wrapper makes Date objects of them) and without the one-time code of the
 * moment, which is another one every thirty seconds.
 */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, one) => {
    if (/^(created|updated)At$/.test(key)) return new Date(one).toISOString();
    if (one?.type === "Otp") return { type: "Otp" };
    return one;
  }));
}
