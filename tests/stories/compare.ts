import assert from "node:assert/strict";
import core from "@1password/sdk-core";
import type { Item } from "@1password/sdk";
import type { LiveVault, LocalService } from "../service/mod.ts";
import { signIn } from "../service/sdk.ts";
import type { Line } from "./harness.ts";
import { filesBelow } from "./secrets.ts";

/** Compares a restored folder with what the official SDK, asked by itself, says of the same account. */
export async function checkRestored(service: LocalService, folder: string): Promise<void> {
  const client = await signIn(service);
  const raw = await RawCore.signIn(service);
  const paths = new Set<string>(["format.json", "README.txt", "account.json", "index.tsv", "manifest.json"]);
  for (const vault of service.account.vaults) {
    paths.add(`vaults/${vault.id}/vault.json`);
    const stored = json(`${folder}/vaults/${vault.id}/vault.json`);
    assert.equal(stored.title, vault.title);
    assert.equal(stored.description, vault.description);
    assert.equal(stored.activeItemCount, vault.activeItemCount);
    const active = vault.items.filter(({ state }) => state === "active").map(({ id }) => id);
    const wrapped = new Map<string, Item>();
    const plain = await raw.items(vault.id, active);
    for (let at = 0; at < active.length; at += 50) {
      const { individualResponses } = await client.items.getAll(vault.id, active.slice(at, at + 50));
      for (const { content } of individualResponses) if (content) wrapped.set(content.id, content);
    }
    assert.equal(wrapped.size, active.length);
    for (const { id, state } of vault.items) {
      const path = `vaults/${vault.id}/items/${id}.json`;
      paths.add(path);
      const item = json(`${folder}/${path}`);
      if (state === "archived") checkArchived(item, vault, id);
      else {
        const expected: Line = { ...canonical(wrapped.get(id)!), raw: plain.get(id) };
        assert.deepEqual(item, withoutCodes(JSON.stringify(expected)));
        for (const file of expected.files) paths.add(checkFile(folder, vault, id, file.id));
      }
    }
  }
  assert.deepEqual(
    [...filesBelow(folder)].map((path) => path.slice(folder.length + 1)).sort(),
    [...paths].sort(),
  );
  checkIndex(folder, service);
}

/** The canonical item, made from the SDK's types by the documentation of the format and not by the program's code. */
function canonical(item: Item): Line {
  const attachments = item.files.map(({ attributes, sectionId, fieldId }) => ({
    id: attributes.id,
    name: attributes.name,
    size: attributes.size,
    role: "attachment",
    sectionId,
    fieldId,
  }));
  const document = item.document && {
    id: item.document.id,
    name: item.document.name,
    size: item.document.size,
    role: "document",
  };
  return {
    id: item.id,
    vaultId: item.vaultId,
    title: item.title,
    category: item.category,
    state: "active",
    contents: "full",
    tags: item.tags,
    urls: item.websites.map(({ url, label, autofillBehavior }) => ({
      url,
      ...(label ? { label } : {}),
      autofill: autofillBehavior,
    })),
    notes: item.notes,
    sections: item.sections.map(({ id, title }) => ({ id, title })),
    fields: item.fields.map(({ id, title, fieldType, value, sectionId, details }) => ({
      id,
      title,
      kind: fieldType,
      value,
      ...(sectionId == null ? {} : { sectionId }),
      ...(details == null ? {} : { details }),
    })),
    files: [...attachments, ...(document ? [document] : [])],
    version: item.version,
    createdAt: seconds(item.createdAt),
    updatedAt: seconds(item.updatedAt),
  };
}

function seconds(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}

function checkArchived(item: Line, vault: LiveVault, id: string): void {
  assert.equal(item.id, id);
  assert.equal(item.title, vault.item(id).title);
  assert.deepEqual([item.state, item.contents, item.fields], ["archived", "overview", []]);
}

function checkFile(folder: string, vault: LiveVault, itemId: string, fileId: string): string {
  const path = `vaults/${vault.id}/files/${itemId}/${fileId}`;
  const found = Deno.readFileSync(`${folder}/${path}`);
  const expected = vault.item(itemId).file(fileId).content();
  assert.equal(found.length, expected.length);
  assert.ok(found.every((byte, at) => byte === expected[at]), path);
  return path;
}

/** One line for each item and file, in which every column can be read back. */
function checkIndex(folder: string, service: LocalService): void {
  const [head, ...lines] = Deno.readTextFileSync(`${folder}/index.tsv`).trimEnd().split("\n");
  assert.equal(head, "vault\ttitle\tusername\tstate\tfile name\tpath");
  const rows = lines.map((line) => line.split("\t"));
  for (const row of rows) assert.equal(row.length, 6);
  const paths = rows.map((row) => row[5]!);
  assert.equal(new Set(paths).size, paths.length);
  const below = [...filesBelow(`${folder}/vaults`)].map((path) => path.slice(folder.length + 1))
    .filter((path) => !path.endsWith("/vault.json"));
  assert.deepEqual(paths.toSorted(), below.toSorted());
  for (const vault of service.account.vaults) {
    for (const item of vault.items) {
      const row = rows.find((row) => row[5] === `vaults/${vault.id}/items/${item.id}.json`)!;
      assert.equal(row[0], vault.title);
      // Control characters are shown as \u{…}; the rest reads back.
      // A spreadsheet must not take a title for a formula.
      if (/^[^\p{C}\\]*$/u.test(item.title)) assert.equal(row[1]!.replace(/^'(?=[=+@-])/, ""), item.title);
    }
  }
}

/** The core's JSON, without the wrapper that makes dates of texts. */
class RawCore {
  private constructor(readonly clientId: number) {}

  static async signIn(service: LocalService): Promise<RawCore> {
    return new RawCore(Number(
      await core.init_client(JSON.stringify({
        serviceAccountToken: service.token(),
        programmingLanguage: "JS",
        sdkVersion: "0050002",
        integrationName: "story",
        integrationVersion: "1",
        requestLibraryName: "Fetch API",
        requestLibraryVersion: "Fetch API",
        os: "linux",
        osVersion: "0.0.0",
        architecture: "x64",
      })),
    ));
  }

  async items(vaultId: string, ids: string[]): Promise<Map<string, unknown>> {
    const items = new Map<string, unknown>();
    for (let at = 0; at < ids.length; at += 50) {
      const parameters = {
        name: "ItemsGetAll",
        parameters: { vault_id: vaultId, item_ids: ids.slice(at, at + 50) },
      };
      const answer = JSON.parse(
        await core.invoke(JSON.stringify({ invocation: { clientId: this.clientId, parameters } })),
      );
      for (const { content } of answer.individualResponses) items.set(content.id, content);
    }
    return items;
  }
}

function json(path: string): Line {
  return withoutCodes(Deno.readTextFileSync(path));
}

/** One-time codes are those of the moment at which the SDK was asked. */
function withoutCodes(text: string): Line {
  return JSON.parse(text, (_, value) => value?.content?.code === undefined ? value : "a code");
}
