import type { VaultDescription } from "../description.ts";

/** Logins and notes as people keep them: tags, websites, one-time passwords, a history, an archive, all writing systems. */
export const everyday: VaultDescription = {
  title: "Everyday",
  description: "What one uses every day ☕",
  // A service account would never see a personal vault; the desktop app's door shows it.
  kind: "personal",
  items: [
    {
      title: "Mail",
      username: "sample.person@example.invalid",
      password: "fake-mail-password",
      urls: [
        { url: "https://mail.example.invalid/", label: "website" },
        { url: "https://admin.mail.example.invalid:8443/", label: "admin", autofill: "exact-domain" },
        { url: "https://status.mail.example.invalid/", label: "status", autofill: "never" },
      ],
      tags: ["mail", "work/important"],
      notes: "First line\nSecond line\twith a tab\r\nThird line",
      favourite: true,
      passwordHistory: [
        { value: "fake-older-password", time: "2022-03-01T08:00:00Z" },
        { value: "fake-oldest-password", time: "2021-03-01T08:00:00Z" },
      ],
      sections: [{
        title: "Security",
        fields: [
          {
            title: "one-time password",
            kind: "Totp",
            value: "otpauth://totp/Mail?secret=AAAAAAAAAAAAAAAA&issuer=Fake",
          },
          { title: "recovery code", kind: "Concealed", value: "fake-fake-fake" },
        ],
      }],
      version: 7,
      createdAt: "2019-05-06T07:08:09Z",
      updatedAt: "2023-10-11T12:13:14Z",
    },
    { title: "Intranet", username: "sample", password: "fake-intranet-password", tags: ["work"] },
    {
      title: "Intranet",
      username: "administrator",
      password: "fake-admin-password",
      notes: "The same title twice.",
    },
    { title: "User name only", username: "nobody" },
    { title: "Password only", password: "fake-password-only" },
    { title: "Nothing at all" },
    { title: "Spaces and quotes", username: ' "quoted" ', password: " fake \\ ' \" ` $HOME %PATH% " },
    { title: "Long note", category: "SecureNote", notes: "All work and no play. ".repeat(5_000) },
    { title: "Empty note", category: "SecureNote", notes: "" },
    {
      title: "Related",
      category: "SecureNote",
      notes: "Points at two other items, one of which does not exist.",
      sections: [{
        title: "Related Items",
        id: "linked items",
        fields: [
          { title: "mail", kind: "Reference", to: "Mail" },
          { title: "gone", kind: "Reference", value: "aaaaaaaaaaaaaaaaaaaaaaaaaa" },
        ],
      }],
    },

    // Writing systems. The twins look alike and differ in bytes: composed and decomposed.
    { title: "Caf\u00e9", username: "nfc", password: "fake", notes: "The é is one code point (NFC)." },
    { title: "Cafe\u0301", username: "nfd", password: "fake", notes: "The é is two code points (NFD)." },
    {
      title: "日本語のパスワード",
      username: "利用者",
      password: "偽物",
      tags: ["仕事"],
      notes: "漢字・かな・カナ",
    },
    { title: "密码 — 한국어 비밀번호", username: "用户", password: "가짜" },
    { title: "كلمة المرور", username: "مستخدم", password: "fake", notes: "من اليمين إلى اليسار" },
    { title: "סיסמה (mixed 123 עברית)", username: "משתמש", password: "fake" },
    { title: "👩‍👩‍👧‍👦 Family 🏳️‍🌈 🇺🇳", username: "🙂", password: "🔑🔑🔑", tags: ["🏷️"] },
    { title: "Ελληνικά Кириллица ไทย हिन्दी", username: "ß", password: "İstanbul ı" },

    {
      title: "Old bank",
      state: "archived",
      username: "former",
      password: "fake-old-bank",
      tags: ["archive"],
    },
    { title: "Old forum", state: "archived", notes: "Archived long ago.", updatedAt: "2020-02-02T02:02:02Z" },
    {
      title: "Old contract",
      state: "archived",
      category: "Document",
      document: { name: "contract.txt", content: "void" },
    },
  ],
};
