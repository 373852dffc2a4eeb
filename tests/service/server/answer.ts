import type { LiveAccount } from "../account/live_account.ts";
import type { Affliction, Faults } from "../faults.ts";
import type { Requests } from "../requests.ts";
import type { Bytes } from "../wire/encryption.ts";
import type { Json } from "../wire/json.ts";
import type { Call } from "./call.ts";
import type { Hooks } from "./hooks.ts";
import { refusal, type Reply } from "./reply.ts";
import { findRoute, type RouteMatch } from "./routes.ts";
import { readBody, type Session, Sessions } from "./sessions.ts";
import { pause } from "./pause.ts";

/** What the way of a request needs to know. */
export interface AnswerContext {
  account: LiveAccount;
  faults: Faults;
  requests: Requests;
  hooks: Hooks;
  latencyMs: number;
  /** Fires when the service closes: nothing waits any longer. */
  closing: AbortSignal;
}

/** Makes the function that answers every request: log, sign-in, faults, hooks, route, encryption, in this order. */
export function answering(context: AnswerContext): (request: Request) => Promise<Response> {
  const sessions = new Sessions(context.account);
  return async (request) => {
    const url = new URL(request.url);
    const match = findRoute(request.method, url.pathname);
    const entry = context.requests.note(request.method, match.name, url.pathname);
    try {
      const { status, response } = await answer(request, url, match, sessions, context);
      entry.status = status;
      return response;
    } catch (error) {
      // A description that cannot be built, or a test's hook: neither may pass for a fault of the client.
      console.error("1Password service:", error);
      entry.status = 500;
      return toResponse(refusal(500), undefined, undefined);
    }
  };
}

async function answer(
  request: Request,
  url: URL,
  match: RouteMatch,
  sessions: Sessions,
  { account, closing, faults, hooks, latencyMs }: AnswerContext,
): Promise<{ status: number | undefined; response: Response }> {
  // Nothing, when the client gives up while it sends.
  const raw = await request.bytes().catch(() => new Uint8Array()) as Bytes;
  await pause(latencyMs, closing);
  const session = sessions.find(request.headers.get("x-agilebits-session-id"));
  const body = readBody(raw, session);
  const call: Call = { ...match, route: match.name, account, sessions, session, url, raw, body };

  const affliction = faults.strike(call);
  await pause(affliction.hang ? Infinity : affliction.delayMs, closing);
  if (closing.aborted) return { status: undefined, response: toResponse(refusal(503), undefined, undefined) };
  const reply = await replyTo(request, match, call, affliction, hooks);
  return { status: reply.status, response: toResponse(reply, session, affliction.cutTo) };
}

async function replyTo(
  request: Request,
  match: RouteMatch,
  call: Call,
  affliction: Affliction,
  hooks: Hooks,
): Promise<Reply> {
  if (affliction.reply) return affliction.reply;
  if (!admitted(request, match, call)) return refusal(401);
  await hooks.run(call);
  const reply = await match.handler(call);
  return affliction.edits.reduce((edited, edit) => edit(edited), reply);
}

/** Whether the request may come in: the right session, proved to know the secret, and signed with its key. */
function admitted(request: Request, { standing }: RouteMatch, { session, url }: Call): boolean {
  if (standing === "nobody") return true;
  if (!session) return false;
  if (standing === "session") return true;
  return session.confirmed &&
    session.signed(request.method, url, request.headers.get("x-agilebits-mac") ?? "");
}

function toResponse(reply: Reply, session: Session | undefined, cutTo: number | undefined): Response {
  const isBinary = reply.body instanceof Uint8Array;
  const bytes = isBinary ? reply.body as Bytes : toJson(reply, session);
  const headers = {
    "content-type": isBinary ? "application/octet-stream" : "application/json",
    ...reply.headers,
  };
  if (cutTo === undefined) return new Response(bytes, { status: reply.status, headers });
  return new Response(cutShort(bytes, cutTo), {
    status: reply.status,
    headers: { ...headers, "content-length": String(bytes.length) },
  });
}

function toJson(reply: Reply, session: Session | undefined): Bytes {
  const body = reply.body as Json;
  return new TextEncoder().encode(JSON.stringify(reply.sealed && session ? session.seal(body) : body));
}

/** A body that ends before it is as long as its header says, upon which the server breaks the connection. */
function cutShort(bytes: Bytes, share: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.subarray(0, Math.floor(bytes.length * share)));
      controller.close();
    },
  });
}
