import assert from "node:assert/strict";
import { LiveAccount } from "./account/live_account.ts";
import { wholeItem } from "./op/item_json.ts";

Deno.test("fake op: prints an item as op does", async () => {
  const account = await LiveAccount.create({
    name: "Acme",
    vaults: [{
      title: "Ops",
      items: [{
        title: "Mail",
        username: "sample",
        password: "made-up-password",
        urls: [{ url: "https://mail.invalid", label: "website" }, { url: "https://b.invalid", label: "b" }],
        tags: ["a/b"],
        favourite: true,
        passwordHistory: [{ value: "made-up-older", time: "2020-01-01T00:00:00Z" }],
        sections: [{
          title: "More",
          id: "more",
          fields: [
            { title: "code", id: "x", kind: "Totp", value: "otpauth://totp/x?secret=AAAA" },
            { title: "born", id: "d", kind: "Date", value: "1950-01-06" },
            { title: "until", id: "m", kind: "MonthYear", value: "02/2042" },
          ],
        }],
        files: [{ name: "note.txt", content: "attached" }],
      }],
    }],
  });
  const vault = account.vault("Ops");
  const item = vault.item("Mail");
  const file = item.file("note.txt");
  // As it is printed: what is undefined is not there.
  assert.deepEqual(JSON.parse(JSON.stringify(wholeItem(vault, item))), {
    id: item.id,
    title: "Mail",
    favorite: true,
    tags: ["a/b"],
    version: 1,
    vault: { id: vault.id, name: "Ops" },
    category: "LOGIN",
    last_edited_by: account.credentials.userId,
    created_at: "2024-01-01T00:00:00Z",
    updated_at: "2024-01-02T00:00:00Z",
    additional_information: "sample",
    urls: [
      { label: "website", primary: true, href: "https://mail.invalid" },
      { label: "b", href: "https://b.invalid" },
    ],
    sections: [{ id: "more", label: "More" }, { id: "add more" }],
    fields: [
      {
        id: "username",
        type: "STRING",
        purpose: "USERNAME",
        label: "username",
        value: "sample",
        reference: "op://Ops/Mail/username",
      },
      {
        id: "password",
        type: "CONCEALED",
        purpose: "PASSWORD",
        label: "password",
        value: "made-up-password",
        reference: "op://Ops/Mail/password",
        password_details: { strength: "WEAK", history: ["made-up-older"] },
      },
      {
        id: "notesPlain",
        type: "STRING",
        purpose: "NOTES",
        label: "notesPlain",
        reference: "op://Ops/Mail/notesPlain",
      },
      {
        id: "TOTP_x",
        section: { id: "more", label: "More" },
        type: "OTP",
        label: "code",
        value: "otpauth://totp/x?secret=AAAA",
        totp: "123456",
        reference: "op://Ops/Mail/More/code",
      },
      {
        id: "d",
        section: { id: "more", label: "More" },
        type: "DATE",
        label: "born",
        value: "-630676740",
        reference: "op://Ops/Mail/More/born",
      },
      {
        id: "m",
        section: { id: "more", label: "More" },
        type: "MONTH_YEAR",
        label: "until",
        value: "204202",
        reference: "op://Ops/Mail/More/until",
      },
    ],
    files: [{
      id: file.id,
      name: "note.txt",
      size: 8,
      content_path: `/v1/vaults/${vault.id}/items/${item.id}/files/${file.id}/content`,
      section: { id: "add more" },
    }],
  });
});
