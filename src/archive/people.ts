import { tsvCell } from "../base/safe_names.ts";
import { utf8 } from "../base/bytes.ts";

/** What an archive and a destination say to somebody who has the key from the safe and stock tools only. */

/** One line of the index: what a person looks for, and the path under which it lies. */
export interface IndexRow {
  vault: string;
  title: string;
  username: string;
  state: string;
  /** For files: the name that people gave it. */
  fileName: string;
  path: string;
}

const COLUMNS = ["vault", "title", "username", "state", "file name", "path"];

/** The bytes of `index.tsv`. */
export function indexTsv(rows: readonly IndexRow[]): Uint8Array<ArrayBuffer> {
  const lines = rows.map((row) =>
    [row.vault, row.title, row.username, row.state, row.fileName, row.path].map(tsvCell).join("\t")
  );
  return utf8([COLUMNS.join("\t"), ...lines, ""].join("\n"));
}

/** `HOW-TO-OPEN.txt`: lies in clear beside the archives and tells nothing about what is in them. */
export const HOW_TO_OPEN = utf8(`How to open these backups without vaultferry
============================================

Each backup is four files:

  NAME.tar.zst.age                     the backup itself, encrypted
  NAME.tar.zst.age.sha256              its SHA-256 checksum
  NAME.tar.zst.age.manifest.json       when, by which host and in which order it was made; no secrets
  NAME.tar.zst.age.manifest.json.sig   the host's signature of that manifest

(A file that ends in .record.json is no backup: it says, signed, what was done with backups or keys.)

The newest NAME is the one with the latest date. You need the key: a file with a line that begins with
AGE-SECRET-KEY-, from the safe or from a person who holds one. You also need the programs age
(https://age-encryption.org) and zstd, which every Linux distribution, Homebrew and winget have.

Do this on a computer that you trust: what comes out is every secret, unencrypted.

  1. Check that the file is whole:

       sha256sum -c NAME.tar.zst.age.sha256

  2. If you kept the host's public key (a line that begins with ssh-ed25519), check who made it:

       echo "host ssh-ed25519 AAAA..." > signers
       ssh-keygen -Y verify -f signers -I host -n vaultferry \\
         -s NAME.tar.zst.age.manifest.json.sig < NAME.tar.zst.age.manifest.json

     and compare the "sha256" in the manifest with the one of step 1.

  3. Open it into a folder of its own:

       mkdir restored
       age -d -i KEYFILE NAME.tar.zst.age | zstd -d | tar -x -C restored

     (a name that ends in .tar.gz.age: "gzip -d" instead of "zstd -d")

  4. Find what you look for in restored/index.tsv: it opens in any spreadsheet and tells the file of each item.
     restored/README.txt explains the rest.

With vaultferry the same is one command:

  vaultferry restore --file NAME.tar.zst.age --identity KEYFILE --to restored
`);

/** `README.txt` inside every archive. */
export const README = utf8(`This is a backup of 1Password vaults, made by vaultferry
=======================================================

index.tsv                          start here: vault, title, username and file name of everything, with its path
vaults/ID/vault.json               a vault: title, description, kind
vaults/ID/items/ID.json            an item: title, category, fields with their values, notes, tags, addresses
vaults/ID/files/ITEM-ID/FILE-ID    the file of an item; its real name is in the item and in index.tsv
account.json                       the account that the backup was made from, where the source told
format.json                        the version of this layout
manifest.json                      every file with its SHA-256, and everything the backup could not contain, by id

All texts are UTF-8, all times UTC. In an item, "raw" is what 1Password said, unchanged; the rest is the same in
plainer words. "contents": "overview" marks an item that could be listed but not read.

In index.tsv a backslash, tab or line break inside a text is written \\\\, \\t, \\n or \\r.

In manifest.json, "gaps" are things that should be here and are not; "limits" are things that this way into
1Password never gives; "moved" are things that were deleted or archived while the backup was made. A file named
in a gap as shorter than declared is filled up with zeros to its declared size; "actual" tells its true length.

Where the backup was made through several ways into 1Password, "door" in manifest.json tells which of them gave
an entry, and a limit called "older-contents" names what comes from an older export and may have changed since.

The items hold passwords in clear: keep this folder on a computer that you trust, and delete it when you are done.
`);
