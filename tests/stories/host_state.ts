import type { Line, Story } from "./harness.ts";

/** The next night. */
export const NIGHT = 24 * 3600 * 1000;

/** What a host has in its state folder, to be put back later: a backup of the machine, or a clone of it. */
export function copyOf(folder: string): () => void {
  const files = new Map<string, Uint8Array>();
  for (const path of below(folder)) files.set(path, Deno.readFileSync(path));
  return () => {
    Deno.removeSync(folder, { recursive: true });
    for (const [path, bytes] of files) {
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
      Deno.writeFileSync(path, bytes, { mode: path.endsWith(".pub") ? 0o644 : 0o600 });
    }
  };
}

function* below(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* below(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

/** The signed entries at a destination, archives and records, in the order of their names. */
export function entriesAt(story: Story, destination = "nas"): Line[] {
  return story.stored(destination).filter((name) => /\.(manifest|record)\.json$/.test(name))
    .map((name) => JSON.parse(Deno.readTextFileSync(story.at(`${destination}/acme/${name}`))));
}

/** The records of one kind. */
export function recordsAt(story: Story, kind: string, destination = "nas"): Line[] {
  return entriesAt(story, destination).filter((entry) => entry.kind === kind);
}

/** The fingerprint of the key in a state folder. */
export function fingerprintIn(err: string): string {
  return /SHA256:[A-Za-z0-9+/]{43}/.exec(err)![0];
}
