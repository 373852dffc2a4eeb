import type { ItemDescription, VaultDescription } from "../description.ts";

/** Names that break out of directories, upset Windows, lie on a terminal or are longer than a file name may be. */
export const HOSTILE_NAMES: readonly string[] = [
  "../../etc/passwd",
  "/etc/shadow",
  "C:\\Windows\\System32\\config",
  "CON",
  "trailing dot.",
  " leading and trailing space ",
  "line\nbreak\rand\ttab",
  "bell \u0007 escape \u001b[31mred\u001b[0m",
  "evil\u202etxt.exe",
  "é".repeat(150),
  "<script>alert(1)</script>",
  "-rf ~",
  "=cmd|' /C calc'!A0",
  "..",
];

/** A vault with the same title as another, full of hostile names: as titles, and as names of files. */
export const hostile: VaultDescription = {
  title: "Documents",
  description: "The other vault of this name",
  items: [
    ...HOSTILE_NAMES.map((title, at): ItemDescription => ({
      title,
      username: `user ${at}`,
      password: "fake",
    })),
    { title: "", username: "without a title", password: "fake" },
    {
      title: "Hostile file names",
      files: HOSTILE_NAMES.map((name) => ({ name, content: `content of ${JSON.stringify(name)}` })),
    },
    {
      title: "Hostile field names",
      sections: [{
        title: "__proto__",
        fields: [
          { title: "constructor", kind: "Text", value: "\u0000" },
          { title: "", kind: "Text", value: "field without a title" },
          { title: "same title", kind: "Text", value: "first" },
          { title: "same title", kind: "Text", value: "second" },
        ],
      }],
    },
  ],
};
