import { AppError } from "../../../../src/base/errors.ts";
import type { Secret } from "../../../../src/base/secret.ts";
import type { World } from "../../../../src/base/world.ts";
import { Agent } from "./agent.ts";
// @ts-types="./ssh2.d.ts"
import ssh2, { type AuthHandler, type Method, type ParsedKey, type Prompt } from "ssh2";

/** What there is to sign in with. */
export interface Credentials {
  username: string;
  key: ParsedKey | undefined;
  /** Path of an agent's socket. */
  agent: string | undefined;
  password: Secret | undefined;
}

/** The key in a file; throws `misconfigured` where there is none, with a sentence that holds nothing of it. */
export function parsePrivateKey(text: Secret, passphrase: Secret | undefined): ParsedKey {
  const parsed = ssh2.utils.parseKey(text.reveal(), passphrase?.reveal());
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) throw unfit(key, passphrase !== undefined);
  if (!key?.isPrivateKey()) {
    throw new AppError("misconfigured", "what privateKey names is a public key", {
      hint: "name the file without .pub",
    });
  }
  return key;
}

function unfit(cause: Error, hasPassphrase: boolean): AppError {
  const { message } = cause;
  if (/no passphrase given/.test(message)) {
    return new AppError("misconfigured", "the private key is encrypted", {
      cause,
      hint: 'give what it is encrypted with as "passphrase"',
    });
  }
  const wrong = hasPassphrase && /integrity check|bad decrypt|passphrase|decrypt/i.test(message);
  if (wrong) return new AppError("misconfigured", "the passphrase does not fit the private key", { cause });
  return new AppError("misconfigured", "privateKey names something that is no private key that can be used", {
    cause,
    hint: "ssh-keygen -t ed25519 makes one; ssh-keygen -p -f FILE rewrites an old one",
  });
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
