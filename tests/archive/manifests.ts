/** A genuine public manifest for tests to bend. */
import { FORMAT } from "../../src/archive/layout.ts";
import type { ArchiveManifest, Place, RecordManifest } from "../../src/archive/manifest.ts";
import { noCounts } from "../../src/model/counts.ts";

export const ARCHIVE = "acme_20260203T040506Z_0123abcd.tar.zst.age";

export function manifestWith(changes: Partial<ArchiveManifest> = {}): ArchiveManifest {
  return {
    format: FORMAT,
    kind: "archive",
    tool: "vaultferry 0.1.0",
    job: "acme",
    chain: "0123456789abcdef0123456789abcdef",
    signer: `SHA256:${"A".repeat(43)}`,
    sequence: 7,
    previous: "b".repeat(64),
    time: "2026-02-03T04:05:06.000Z",
    archive: { name: ARCHIVE, size: 12_345, sha256: "c".repeat(64) },
    recipients: [`SHA256:${"B".repeat(43)}`],
    outcome: "complete",
    counts: { ...noCounts(), vaults: 2, items: 30, files: 4, bytes: 5000 },
    receipts: { nas: [[1, 3], [5, 6]], azure: [] },
    ...changes,
  };
}

export const RECORD = "acme_20260203T040507Z_0123abcd.record.json";

/** A genuine record of each kind. */
export function recordsWith(changes: Partial<RecordManifest> = {}): RecordManifest[] {
  const { kind: _, archive: __, recipients, outcome: ___, counts: ____, ...common } = manifestWith();
  const place: Place = { chain: "c".repeat(32), signer: common.signer, sequence: 9, hash: "d".repeat(64) };
  const record = { ...common, record: RECORD, beside: [place] };
  const newSigner = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
  const all: RecordManifest[] = [
    {
      ...record,
      kind: "prune",
      destination: "nas",
      removes: [{ archive: ARCHIVE, reason: "older than what is kept" }],
    },
    { ...record, kind: "accept", run: ARCHIVE },
    { ...record, kind: "keys-accept", recipients },
    { ...record, kind: "keys-rotate", newSigner },
    { ...record, kind: "keys-trust", chains: [place], signers: [newSigner] },
  ];
  return all.map((one) => ({ ...one, ...changes }) as RecordManifest);
}

/** Every property of an object and of the objects in it, as a path. */
export function properties(value: object, prefix: string[] = []): string[][] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...prefix, key];
    const deeper = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    return deeper ? [path, ...properties(inner, path)] : [path];
  });
}

/** A deep copy with the property at `path` changed, or left out. */
export function changedAt(value: object, path: readonly string[], to: unknown): object {
  const copy = structuredClone(value) as Record<string, unknown>;
  let inner = copy;
  for (const key of path.slice(0, -1)) inner = inner[key] as Record<string, unknown>;
  const last = path.at(-1)!;
  if (to === undefined) delete inner[last];
  else inner[last] = to;
  return copy;
}
