import type { Call } from "./server/call.ts";
import type { Reply } from "./server/reply.ts";
import type { RouteName } from "./server/route_names.ts";
import { asArray, asObject, asString, type Json, type JsonObject } from "./wire/json.ts";

/** The route that a fault concerns; "*" is every one, the sign-in included. */
export type FaultRoute = RouteName | "*";

/** When a fault strikes. */
export interface FaultTiming {
  /** How often it strikes; until it is removed when left out. */
  times?: number;
  /** How many matching requests it lets through first; none when left out. */
  after?: number;
  /** Only requests about this vault, item or file, by id; a batch is about each of its items. */
  id?: string;
}

/** A fault that was injected. */
export interface Fault {
  /** How often it has struck. */
  readonly strikes: number;
  /** Ends it. */
  remove(): void;
}

/** What one request has to suffer. */
export interface Affliction {
  delayMs: number;
  hang: boolean;
  /** Answered instead of the route. */
  reply: Reply | undefined;
  /** Changes the route's answer before it is encrypted. */
  edits: ((reply: Reply) => Reply)[];
  /** Send only this share of the body (0 to 1) and break the connection. */
  cutTo: number | undefined;
}

/**
 * Faults that the service commits on demand. Several may strike one request: delays add up, edits follow each other, and
 * of several statuses the one that was injected first is the answer. The others wait for a later request.
 */
export class Faults {
  readonly #active = new Set<ActiveFault>();

  /** Answers with this status; `body` is sent as JSON and in the clear, as the service's own errors are. */
  status(
    route: FaultRoute,
    status: number,
    options: FaultTiming & { body?: Json; headers?: Record<string, string> } = {},
  ): Fault {
    const body = options.body ?? { errorCode: status, errorMessage: "Injected fault." };
    const reply: Reply = { status, body, sealed: false, headers: options.headers ?? {} };
    return this.#add(route, options, (affliction) => affliction.reply = reply, true);
  }

  /** Waits before it answers. */
  delay(route: FaultRoute, ms: number, timing: FaultTiming = {}): Fault {
    return this.#add(route, timing, (affliction) => affliction.delayMs += ms);
  }

  /** Never answers, until the client gives up or the service closes. */
  hang(route: FaultRoute, timing: FaultTiming = {}): Fault {
    return this.#add(route, timing, (affliction) => affliction.hang = true);
  }

  /**
   * Sends the beginning of the answer and breaks the connection.
   * @param options.share of the body that is sent, 0.5 when left out
   */
  cut(route: FaultRoute, options: FaultTiming & { share?: number } = {}): Fault {
    return this.#add(route, options, (affliction) => affliction.cutTo = options.share ?? 0.5);
  }

  /**
   * Leaves items out of a vault's list of overviews, whose `activeItemCount` stays.
   * @param options.leaveOut how many of the last items, or which ids
   * @param options.admit says `batchComplete: false`, which the core ignores; true when left out
   */
  shortList(options: FaultTiming & { leaveOut: number | readonly string[]; admit?: boolean }): Fault {
    const { leaveOut, admit = true } = options;
    return this.#edit("items/overviews", options, (body) => {
      const items = asArray(body.items);
      const left = typeof leaveOut === "number"
        ? items.slice(0, Math.max(0, items.length - leaveOut))
        : items.filter((item) => !leaveOut.includes(recordId(item)));
      return { ...body, items: left, batchComplete: !admit };
    });
  }

  /** Leaves these items out of the answers to batch reads; the core drops them in silence. */
  omit(itemIds: readonly string[], timing: FaultTiming = {}): Fault {
    return this.#edit("items/batch", timing, (body) => ({
      ...body,
      items: asArray(body.items).filter((item) => !itemIds.includes(recordId(item))),
    }));
  }

  /**
   * The quota is used up: after so many requests more, everything is answered 429.
   * @param options.route narrows it down; "*" when left out
   */
  quotaUsedUp(options: { after: number; route?: FaultRoute }): Fault {
    return this.status(options.route ?? "*", 429, { after: options.after });
  }

  /** Removes every fault. */
  clear(): void {
    this.#active.clear();
  }

  /** What strikes this request. Counts it, so it is asked once per request. */
  strike(call: Call): Affliction {
    const affliction: Affliction = { delayMs: 0, hang: false, reply: undefined, edits: [], cutTo: undefined };
    const ids = idsOf(call);
    for (const fault of this.#active) {
      if (fault.route !== "*" && fault.route !== call.route) continue;
      if (fault.timing.id !== undefined && !ids.has(fault.timing.id)) continue;
      fault.seen++;
      if (fault.seen <= (fault.timing.after ?? 0)) continue;
      if (fault.strikes >= (fault.timing.times ?? Infinity)) continue;
      if (fault.decides && affliction.reply) continue;
      fault.strikes++;
      fault.inflict(affliction);
    }
    return affliction;
  }

  #edit(route: RouteName, timing: FaultTiming, edit: (body: JsonObject) => JsonObject): Fault {
    return this.#add(route, timing, (affliction) =>
      affliction.edits.push((reply) => {
        const body = reply.status === 200 ? asObject(reply.body) : undefined;
        return body ? { ...reply, body: edit(body) } : reply;
      }));
  }

  #add(
    route: FaultRoute,
    timing: FaultTiming,
    inflict: (affliction: Affliction) => void,
    decides = false,
  ): Fault {
    const active = this.#active;
    const fault: ActiveFault = {
      route,
      timing,
      inflict,
      decides,
      seen: 0,
      strikes: 0,
      remove: () => void active.delete(fault),
    };
    active.add(fault);
    return fault;
  }
}

interface ActiveFault extends Fault {
  route: FaultRoute;
  timing: FaultTiming;
  inflict: (affliction: Affliction) => void;
  /** Whether it is the answer, of which a request can have only one. */
  decides: boolean;
  seen: number;
  strikes: number;
}

function idsOf(call: Call): Set<string> {
  const ids = new Set<string>();
  for (const id of [call.vaultId, call.itemId, call.fileId]) if (id !== undefined) ids.add(id);
  for (const id of asArray(asObject(call.body)?.itemUuids)) ids.add(asString(id));
  if (Array.isArray(call.body)) { for (const record of call.body) ids.add(recordId(record)); }
  return ids;
}

function recordId(record: Json): string {
  return asString(asObject(record)?.uuid);
}
