/** A genuine public manifest for tests to bend. */
import { FORMAT } from "../../src/archive/layout.ts";
import { type Manifest } from "../../src/archive/manifest.ts";
import { noCounts } from "../../src/model/counts.ts";

export const ARCHIVE = "acme_20260203T040506Z_0123abcd.tar.zst.age";

export function manifestWith(changes: Partial<Manifest> = {}): Manifest {
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
