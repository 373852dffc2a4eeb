import type { Secret } from "../../../../src/base/secret.ts";
import type { World } from "../../../../src/base/world.ts";
import { Agent } from "./agent.ts";
import type { AuthHandler, Method, ParsedKey, Prompt } from "./ssh2.d.ts";

/** What there is to sign in with. */
export interface Credentials {
  username: string;
  key: ParsedKey | undefined;
  /** Path of an agent's socket. */
  agent: string | undefined;
  password: Secret | undefined;
}

/** One attempt to sign in, with everything that there is and that the server takes. */
export class SignIn {
  readonly agent: Agent | undefined;
  /** The methods that the server has said it takes. */
  offered: readonly string[] = [];
  readonly #left: Method[];

  constructor(credentials: Credentials, world: Pick<World, "connect">, signal: AbortSignal) {
    const { username, key, password } = credentials;
    this.agent = credentials.agent === undefined ? undefined : new Agent(credentials.agent, world, signal);
    this.#left = [
      ...(key ? [{ type: "publickey" as const, username, key }] : []),
      ...(this.agent ? [{ type: "agent" as const, username, agent: this.agent }] : []),
      ...(password
        ? [
          { type: "password" as const, username, password: password.reveal() },
          { type: "keyboard-interactive" as const, username, prompt: answering(password) },
        ]
        : []),
    ];
  }

  readonly next: AuthHandler = (methodsLeft) => {
    if (methodsLeft) this.offered = methodsLeft;
    for (let method = this.#left.shift(); method; method = this.#left.shift()) {
      const name = method.type === "agent" ? "publickey" : method.type;
      if (!methodsLeft || methodsLeft.includes(name)) return method;
    }
    return false;
  };
}

/** Answers the one question for a password, once; whatever else is asked gets no answer, and no password. */
function answering(password: Secret): Prompt {
  let answered = false;
  return (_name, _instructions, _language, prompts, finish) => {
    const [only] = prompts;
    const asksForIt = prompts.length === 1 && only?.echo === false && !answered;
    answered ||= asksForIt;
    finish(asksForIt ? [password.reveal()] : prompts.map(() => ""));
  };
}
