import type { VaultDescription } from "../description.ts";

/** Attachments and documents. */
export const documents: VaultDescription = {
  title: "Documents",
  description: "Files of all kinds",
  items: [
    {
      title: "Server room",
      username: "janitor",
      password: "fake-server-room",
      sections: [{ title: "Plans", fields: [{ title: "floor", kind: "Text", value: "-1" }] }],
      files: [
        { name: "plan.bin", section: "Plans", size: 65_537, seed: "plan" },
        { name: "empty.txt", section: "Plans", content: "" },
        { name: "notes.txt", content: "loose, in no section of its own\n" },
        { name: "notes.txt", content: "a second file of the same name\n" },
      ],
    },
    {
      title: "契約書",
      category: "Document",
      document: { name: "契約書 №1 — «ünïcode» 📄.pdf", size: 12_345, seed: "contract" },
    },
    {
      title: "Document with an attachment",
      category: "Document",
      document: { name: "main.txt", content: "the document" },
      files: [{ name: "beside.txt", content: "the attachment" }],
    },
    { title: "Document without its file", category: "Document", notes: "Can happen after a failed upload." },
  ],
};
