import type { LiveAccount } from "../account/live_account.ts";
import type { Bytes } from "../wire/encryption.ts";
import type { Json, JsonObject } from "../wire/json.ts";
import type { Reply } from "./reply.ts";
import type { RouteName } from "./route_names.ts";
import type { Session, Sessions } from "./sessions.ts";

/** One request on its way through the service. */
export interface Call {
  route: RouteName;
  account: LiveAccount;
  sessions: Sessions;
  session: Session | undefined;
  url: URL;
  /** The ids and numbers in the path. */
  vaultId?: string;
  itemId?: string;
  fileId?: string;
  groupId?: string;
  contentVersion?: string;
  /** The body, decrypted; `undefined` when there is none or it is not JSON. */
  body: JsonObject | Json[] | undefined;
  /** The body as it came. */
  raw: Bytes;
}

/** What a request is about, for hooks. */
export type CallSummary = Readonly<Pick<Call, "route" | "vaultId" | "itemId" | "fileId" | "body">>;

/** Answers one kind of request. */
export type Handler = (call: Call) => Reply | Promise<Reply>;
