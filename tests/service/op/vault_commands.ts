import type { LiveVault } from "../account/live_vault.ts";
import type { LiveItem } from "../account/live_item.ts";
import type { JsonObject } from "../wire/json.ts";
import { type Asked, json, type Output, specified } from "./asked.ts";
import { OpComplaint, SAYS } from "./errors.ts";
import { listedItem, wholeItem } from "./item_json.ts";

/** `op vault …`, `op item …`, `op document get`, `op read`: what vaults hold. */
export const vaultCommands: Record<string, (asked: Asked) => Output> = {
  async *"vault list"({ fake, serviceAccount }) {
    fake.spend(1);
    yield json(fake.visibleVaults(serviceAccount).map(listedVault));
  },

  async *"vault get"({ fake, names, stdin, serviceAccount }) {
    for (const name of names[0] === "-" ? specified(stdin ?? "") : names) {
      fake.spend(1);
      const vault = fake.findVault(name, serviceAccount);
      yield json({
        ...listedVault(vault),
        description: vault.description,
        attribute_version: vault.attributeVersion,
        type: TYPES[fake.letterOf(vault)] ?? "UNKNOWN",
      });
    }
  },

  async *"item list"({ fake, flags, serviceAccount }) {
    const vault = givenVault(fake, flags, serviceAccount);
    fake.spend(2);
    const items = vault.items.filter(({ state }) => state === "active" || flags.has("include-archive"));
    yield json(items.filter(({ id }) => !fake.unlisted.has(id)).map((item) => listedItem(vault, item)));
  },

  async *"item get"({ fake, names, flags, stdin, serviceAccount }) {
    const vault = givenVault(fake, flags, serviceAccount);
    fake.spend(1);
    const complaints: string[] = [];
    const archive = flags.has("include-archive");
    for (const name of names[0] === "-" ? specified(stdin ?? "") : names) {
      try {
        fake.spend(1);
        if (fake.omitted.has(name)) continue;
        const unreadable = fake.unreadable.get(name);
        if (unreadable !== undefined) throw new OpComplaint(unreadable);
        yield json(wholeItem(vault, findItem(vault, name, archive)));
      } catch (error) {
        if (!(error instanceof OpComplaint) || fake.missing === "stop") throw error;
        complaints.push(error.message);
      }
    }
    if (complaints.length > 0) throw new OpComplaint(complaints.join("\n"));
  },

  async *"document get"({ fake, names, flags, serviceAccount }) {
    const vault = givenVault(fake, flags, serviceAccount);
    fake.spend(2);
    const item = findItem(vault, names[0] ?? "", flags.has("include-archive"));
    const file = fileOf(item, undefined);
    if (!file) throw new OpComplaint(SAYS.noItem(names[0] ?? ""));
    yield* body(flags, fake.bodyOf(file));
  },

  async *read({ fake, names, flags, serviceAccount }) {
    const [reference = ""] = names;
    const [vaultName = "", itemName = "", ...rest] = reference.replace("op://", "").split("/");
    const complain = (why: string) => new OpComplaint(SAYS.notRead(reference, why));
    fake.spend(2);
    const vault = fake.visibleVaults(serviceAccount).find((one) =>
      one.id === vaultName || one.title === vaultName
    );
    if (!vault) throw complain(SAYS.noVault(vaultName));
    const item = vault.find(itemName);
    if (!item) {
      throw complain(`could not get item ${vaultName}/${itemName}: ${SAYS.noItemIn(itemName, vault.title)}`);
    }
    if (item.state === "archived" && !fake.readsArchivedFiles) {
      throw new OpComplaint(SAYS.deletedOrArchived(itemName, vaultName));
    }
    const file = fileOf(item, rest.at(-1) ?? "");
    if (!file) throw new OpComplaint(SAYS.noField(`${vaultName}/${itemName}`, rest.join("/")));
    const newLine = flags.has("out-file")
      ? []
      : flags.has("no-newline") && !fake.alwaysAddsNewLine
      ? []
      : [0x0a];
    yield* body(flags, fake.bodyOf(file), new Uint8Array(newLine));
  },
};

const TYPES: Record<string, string> = { P: "PERSONAL", E: "EVERYONE", U: "USER_CREATED", T: "TRANSFER" };

function listedVault(vault: LiveVault): JsonObject {
  const { createdAt, updatedAt } = vault.record();
  return {
    id: vault.id,
    name: vault.title,
    content_version: vault.contentVersion,
    created_at: createdAt,
    updated_at: updatedAt,
    // A number that is nought is left out.
    ...(vault.activeItemCount > 0 ? { items: vault.activeItemCount } : {}),
  };
}

function givenVault(
  fake: Asked["fake"],
  flags: Asked["flags"],
  serviceAccount: string | undefined,
): LiveVault {
  const name = flags.get("vault")?.[0];
  if (name === undefined) throw new OpComplaint(SAYS.noVaultGiven);
  return fake.findVault(name, serviceAccount);
}

function findItem(vault: LiveVault, name: string, archive: boolean): LiveItem {
  const item = vault.find(name) ??
    vault.items.find(({ title, state }) => title === name && state === "active");
  if (!item) throw new OpComplaint(SAYS.noItemIn(name, vault.title));
  if (item.state === "archived" && !archive) throw new OpComplaint(SAYS.deletedOrArchived(name, vault.id));
  return item;
}

/** The attached file of that id, or the document that the item is. */
function fileOf(item: LiveItem, id: string | undefined) {
  if (id !== undefined) return item.storedFile(id);
  const { documentAttributes } = item.details();
  return documentAttributes
    ? item.storedFile(String((documentAttributes as JsonObject).documentId))
    : undefined;
}

/** A body on standard output in pieces, or in the file that was named. */
async function* body(flags: Asked["flags"], ...parts: Uint8Array[]): Output {
  const path = flags.get("out-file")?.[0];
  if (path === undefined) {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += 64 * 1024) yield part.subarray(at, at + 64 * 1024);
    }
    return;
  }
  try {
    await Deno.writeFile(path, ReadableStream.from(parts), { mode: 0o600, createNew: !flags.has("force") });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw new OpComplaint(SAYS.exists);
    throw new OpComplaint(`open ${path}: no such file or directory`);
  }
  yield `${path}\n`;
}
