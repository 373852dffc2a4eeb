import type { FakeOp } from "./fake_op.ts";
import type { CommandLine } from "./command_line.ts";

/** A call that the fake answers. */
export interface Asked extends CommandLine {
  fake: FakeOp;
  /** Standard input, where the command reads it. */
  stdin: string | null;
  /** The token of the service account that asks; undefined for a person. */
  serviceAccount: string | undefined;
}

/** What a command prints, piece by piece; it complains by throwing an OpComplaint. */
export type Output = AsyncGenerator<string | Uint8Array>;

/** JSON as `op` prints it. */
export function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2) + "\n";
}

/** The names or ids that came on standard input: a JSON list or objects with ids, or a name a line. */
export function specified(stdin: string): string[] {
  const text = stdin.trim();
  if (text.startsWith("[") || text.startsWith("{")) {
    const list = JSON.parse(
      text.startsWith("{") ? `[${text.replace(/\}\s*\{/g, "},{")}]` : text,
    ) as unknown[];
    return list.map((one) => typeof one === "string" ? one : (one as { id: string }).id);
  }
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
