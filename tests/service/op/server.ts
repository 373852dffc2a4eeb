import type { LiveAccount } from "../account/live_account.ts";
import type { OpCall } from "./calls.ts";
import { OpComplaint } from "./errors.ts";
import { FakeOp } from "./fake_op.ts";
import type { Blow } from "./faults.ts";
import { type Manners, writeWrapper } from "./wrapper.ts";

export interface FakeOpOptions {
  account: LiveAccount;
  /** Where the program is written to. */
  folder: string;
  /** Tokens that are good, besides the fake's own. */
  tokens?: readonly string[];
  manners?: Manners;
}

/** A fake that runs. */
export interface RunningFakeOp extends AsyncDisposable {
  readonly fake: FakeOp;
  /** The program, to be started. */
  readonly path: string;
  /** A service account token that it takes. */
  readonly token: string;
}

interface Sent {
  argv: string[];
  variables: Record<string, string>;
  stdin: string | null;
  pid: number;
}

/** Starts a fake that answers out of this account. */
export async function startFakeOp(options: FakeOpOptions): Promise<RunningFakeOp> {
  const token = options.account.credentials.token("http://127.0.0.1:1");
  const fake = new FakeOp(options.account, new Set([token, ...options.tokens ?? []]));
  const closing = new AbortController();
  const secret = crypto.randomUUID();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (new URL(request.url).pathname !== `/${secret}`) return new Response(null, { status: 404 });
    const sent = await request.json() as Sent;
    return new Response(ReadableStream.from(answered(fake, sent, closing.signal)));
  });
  const path = `${options.folder}/op`;
  await writeWrapper(path, `http://127.0.0.1:${server.addr.port}/${secret}`, options.manners);
  return {
    fake,
    path,
    token,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server.shutdown();
    },
  };
}

async function* answered(fake: FakeOp, sent: Sent, closing: AbortSignal): AsyncGenerator<Uint8Array> {
  const call: OpCall = {
    command: commandOf(sent.argv),
    argv: sent.argv,
    stdin: sent.stdin,
    variables: Object.keys(sent.variables).sort(),
    pid: sent.pid,
    code: undefined,
  };
  fake.calls.log.push(call);
  const blow = fake.faults.strike(call);
  if (blow.hang) return await pause(undefined, closing);
  let code = 0;
  for await (const piece of suffered(fake.answer(sent.argv, sent.variables, sent.stdin), blow)) {
    if (typeof piece === "object" && "code" in piece) {
      code = piece.code;
      if (piece.complaint !== "") yield frame(2, new TextEncoder().encode(piece.complaint));
    } else {
      if (blow.pause) await pause(blow.pause, closing);
      yield frame(1, typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    }
  }
  call.code = code;
  yield frame(3, new Uint8Array([code]));
}

/** Waits so many milliseconds, or for ever; ends with the fake in any case. */
function pause(ms: number | undefined, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    closing.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

interface End {
  code: number;
  complaint: string;
}

/** What is printed in the end, with what a fault makes of it. */
async function* suffered(
  output: AsyncGenerator<string | Uint8Array>,
  blow: Blow,
): AsyncGenerator<string | Uint8Array | End> {
  if (blow.instead !== undefined) {
    yield blow.instead;
    return yield { code: blow.code ?? 0, complaint: "" };
  }
  if (blow.complaint !== undefined && blow.share === undefined) {
    return yield { code: blow.code ?? 1, complaint: marked(blow.complaint) };
  }
  try {
    if (blow.share === undefined && !blow.edit) {
      yield* output;
      return yield { code: 0, complaint: "" };
    }
    const parts: Uint8Array[] = [];
    for await (const piece of output) {
      parts.push(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    }
    let whole = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    if (blow.edit) whole = new TextEncoder().encode(blow.edit(new TextDecoder().decode(whole)));
    yield whole.subarray(0, Math.floor(whole.length * (blow.share ?? 1)));
    yield { code: blow.code ?? 0, complaint: blow.complaint ? marked(blow.complaint) : "" };
  } catch (error) {
    if (!(error instanceof OpComplaint)) throw error;
    yield { code: error.code, complaint: error.message.split("\n").map(marked).join("") };
  }
}

/** As `op` marks what it complains of; a panic has no mark. */
function marked(complaint: string): string {
  return complaint.startsWith("panic:") ? `${complaint}\n` : `[ERROR] 2026/02/03 04:05:06 ${complaint}\n`;
}

function commandOf(argv: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith("--") && word !== "-");
  if (argv[0] === "--version") return "--version";
  return ["read", "whoami"].includes(words[0] ?? "") ? words[0]! : words.slice(0, 2).join(" ");
}

function frame(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, payload.length);
  bytes.set(payload, 5);
  return bytes;
}
