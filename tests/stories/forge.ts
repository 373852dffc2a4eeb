import { type Draft, headOf, nextEntry, type SignedManifest } from "../../src/archive/chain.ts";
import { decodeManifest, type Manifest, nameOf } from "../../src/archive/manifest.ts";
import type { Signer } from "../../src/archive/signature.ts";
import { verify } from "../../src/archive/signature.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { readSigner } from "../../src/custody/signer.ts";
import type { Story } from "./harness.ts";

/** What somebody with a key and a destination can put there. */

/** The key of a host, which only root there can read. */
export function keyOf(state: string): Promise<Signer> {
  return readSigner(denoWorld(), state);
}

/** An entry of this host's chain. */
export async function storedEntry(story: Story, sequence: number): Promise<SignedManifest> {
  const path = `${story.state}/acme/chain/${String(sequence).padStart(8, "0")}.json`;
  const { manifest, signature } = JSON.parse(Deno.readTextFileSync(path));
  const bytes = new TextEncoder().encode(manifest);
  return { manifest: decodeManifest(bytes), bytes, signature, key: await verify(bytes, signature) };
}

/** Signs an entry that follows `before` and says what `like` says, but for the changes. */
export async function forged<M extends Manifest>(
  before: SignedManifest | undefined,
  like: M,
  changes: Partial<M>,
  signer: Signer,
): Promise<SignedManifest<M>> {
  const { chain, sequence: _, previous: __, signer: ___, ...draft } = { ...like, ...changes };
  return await nextEntry<M>(before && headOf(before), chain, draft as unknown as Draft<M>, signer);
}

/** Puts an entry to a destination, with these bytes as its archive where it is one. */
export function place(folder: string, entry: SignedManifest, body?: Uint8Array): void {
  const name = nameOf(entry.manifest);
  const manifest = body ? `${name}.manifest.json` : name;
  if (body) {
    Deno.writeFileSync(`${folder}/${name}`, body);
    Deno.writeTextFileSync(`${folder}/${name}.sha256`, `${sha256Hex(body)}  ${name}\n`);
  }
  Deno.writeFileSync(`${folder}/${manifest}`, entry.bytes);
  Deno.writeTextFileSync(`${folder}/${manifest}.sig`, entry.signature);
}
