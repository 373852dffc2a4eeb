import { type AccountDescription, type FileDescription, generatedContent } from "../service/mod.ts";

/**
 * The account with the content of its files made beforehand: what makes it leaves a cipher open each time, which
 * the leak sanitizers would lay at the program's door.
 */
export function filled(account: AccountDescription): AccountDescription {
  const fill = (file: FileDescription): FileDescription => {
    if (!("size" in file)) return file;
    const { size, seed, ...rest } = file;
    return { ...rest, content: generatedContent(seed ?? file.name, size) };
  };
  return {
    ...account,
    vaults: account.vaults.map((vault) => ({
      ...vault,
      items: (vault.items ?? []).map((item) => ({
        ...item,
        ...(item.files ? { files: item.files.map(fill) } : {}),
        ...(item.document ? { document: fill(item.document) } : {}),
      })),
    })),
  };
}
