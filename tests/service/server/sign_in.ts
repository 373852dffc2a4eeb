import { asObject } from "../wire/json.ts";
import type { Handler } from "./call.ts";
import { refusal } from "./reply.ts";

/** POST auth/start. */
export const startSignIn: Handler = ({ sessions, body }) => sessions.start(asObject(body) ?? {});

/** POST auth. */
export const exchangeKeys: Handler = ({ sessions, session, body }) =>
  session ? sessions.exchange(session, asObject(body) ?? {}) : refusal(401);

/** POST auth/confirm-key. */
export const confirmKey: Handler = ({ sessions, session, body }) =>
  session ? sessions.confirm(session, asObject(body) ?? {}) : refusal(401);

/** POST auth/complete. */
export const completeSignIn: Handler = ({ sessions }) => sessions.complete();
