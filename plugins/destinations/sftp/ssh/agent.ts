import { AppError, toAppError } from "../../../../src/base/errors.ts";
import { quoted } from "../../../../src/base/safe_names.ts";
import type { World } from "../../../../src/base/world.ts";
import { duplexOf } from "./duplex.ts";
import ssh2 from "./library.ts";
// @ts-types="./ssh2.d.ts"
import type { Callback, ParsedKey } from "ssh2";
import type { Duplex } from "node:stream";

/** An agent behind a Unix socket, asked through the World. */
export class Agent extends ssh2.OpenSSHAgent {
  /** Why it was of no use, where it was of none; the library only tries the next method. */
  problem: AppError | undefined;

  constructor(readonly path: string, readonly world: Pick<World, "connect">, readonly signal: AbortSignal) {
    super(path);
  }

  override getStream(done: Callback<Duplex>): void {
    this.world.connect({ path: this.path }, this.signal).then(
      (socket) => done(null, duplexOf(socket)),
      (error) => {
        this.problem = new AppError(
          "misconfigured",
          `the agent cannot be asked: ${toAppError(error).message}`,
          { cause: error, hint: 'start ssh-agent, or give its socket as "agent"' },
        );
        done(new Error(this.problem.message));
      },
    );
  }

  override getIdentities(done: Callback<ParsedKey[]>): void {
    super.getIdentities((error, keys) => {
      if (!error && keys?.length === 0) {
        this.problem = new AppError("misconfigured", `the agent at ${quoted(this.path)} holds no key`, {
          hint: "ssh-add puts one into it",
        });
      }
      done(error, keys);
    });
  }
}
