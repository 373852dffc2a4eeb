import type { Json, JsonObject } from "../wire/json.ts";
import { type Call, refusal, type Reply, type RouteName } from "./routes.ts";

/** When a fault strikes. */
export interface FaultTiming {
  /** How often; until it is removed when left out. */
  times?: number;
  /** How many matching requests it lets through first. */
  after?: number;
  /** Only requests about this vault, item or file, by id. */
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
  /** Answered instead of the route; it is checked against the description like every other answer. */
  reply: Reply | undefined;
  /** Change the answer behind the description's back. */
  edits: ((reply: Reply) => Reply)[];
  cut: Cut | undefined;
}

/** How an answer breaks off. */
export interface Cut {
  /** Of the body that is sent, from 0 to 1; 0.5 when left out. */
  share?: number;
  /** Whether the whole length was announced, as Connect does; else the body merely ends too early. */
  announced?: boolean;
}

/** Faults that the Connect server commits on demand. `"*"` is every route. Several may strike one request. */
export class Faults {
  readonly #active = new Set<ActiveFault>();

  /** Answers with an error of this status, in Connect's words. */
  status(
    route: RouteName | "*",
    status: number,
    options: FaultTiming & { message?: string; headers?: Record<string, string> } = {},
  ): Fault {
    const { message = "injected fault", headers = {} } = options;
    const reply: Reply = { ...refusal(status, message), headers };
    return this.#add(route, options, (affliction) => affliction.reply ??= reply);
  }

  /** Waits before it answers. */
  delay(route: RouteName | "*", ms: number, timing: FaultTiming = {}): Fault {
    return this.#add(route, timing, (affliction) => affliction.delayMs += ms);
  }

  /** Never answers, until the client gives up or the server closes. */
  hang(route: RouteName | "*", timing: FaultTiming = {}): Fault {
    return this.#add(route, timing, (affliction) => affliction.hang = true);
  }

  /** Sends the beginning of the answer and no more. */
  cut(route: RouteName | "*", options: FaultTiming & Cut = {}): Fault {
    return this.#add(route, options, (affliction) => affliction.cut ??= options);
  }

  /** Answers with this text in place of JSON; 200 unless another status is given. */
  garbage(route: RouteName | "*", text: string, timing: FaultTiming & { status?: number } = {}): Fault {
    const [{ status = 200 }, body] = [timing, new TextEncoder().encode(text)];
    return this.#edit(route, timing, (reply) => ({ ...reply, status, body }));
  }

  /** A captive portal or a proxy: answers with a web page. */
  html(route: RouteName | "*", timing: FaultTiming & { status?: number } = {}): Fault {
    const body = new TextEncoder().encode("<!DOCTYPE html><title>Sign in to the Wi-Fi</title>\n");
    const { status = 200 } = timing;
    return this.#edit(route, timing, () => ({ status, contentType: "text/html", body }));
  }

  /** Says that the answer is of another type; without one: of none. */
  contentType(route: RouteName | "*", contentType: string, timing: FaultTiming = {}): Fault {
    return this.#edit(route, timing, (reply) => ({ ...reply, contentType }));
  }

  /** Sends the client elsewhere. */
  redirect(route: RouteName | "*", location: string, timing: FaultTiming & { status?: number } = {}): Fault {
    const reply = {
      status: timing.status ?? 302,
      contentType: "",
      body: new Uint8Array(),
      headers: { location },
    };
    return this.#edit(route, timing, () => reply);
  }

  /** Changes the JSON of an answer, in ways that the description may not allow. */
  edit(route: RouteName, change: (body: Json) => Json, timing: FaultTiming = {}): Fault {
    return this.#edit(
      route,
      timing,
      (reply) =>
        reply.status === 200 && !(reply.body instanceof Uint8Array)
          ? { ...reply, body: change(structuredClone(reply.body)) }
          : reply,
    );
  }

  /** Leaves items out of a vault's list; what the vault counts stays. */
  shortList(itemIds: readonly string[], timing: FaultTiming = {}): Fault {
    return this.edit(
      "items",
      (list) => (list as JsonObject[]).filter(({ id }) => !itemIds.includes(String(id))),
      timing,
    );
  }

  /** Removes every fault. */
  clear(): void {
    this.#active.clear();
  }

  /** What strikes this request. Counts it, so it is asked once per request. */
  strike({ route, vaultId, itemId, fileId }: Call): Affliction {
    const affliction: Affliction = { delayMs: 0, hang: false, reply: undefined, edits: [], cut: undefined };
    for (const fault of this.#active) {
      const { timing: { id, after = 0, times = Infinity } } = fault;
      if (fault.route !== "*" && fault.route !== route) continue;
      if (id !== undefined && ![vaultId, itemId, fileId].includes(id)) continue;
      if (++fault.seen <= after || fault.strikes >= times) continue;
      fault.strikes++;
      fault.inflict(affliction);
    }
    return affliction;
  }

  #edit(route: RouteName | "*", timing: FaultTiming, edit: (reply: Reply) => Reply): Fault {
    return this.#add(route, timing, (affliction) => affliction.edits.push(edit));
  }

  #add(route: RouteName | "*", timing: FaultTiming, inflict: (affliction: Affliction) => void): Fault {
    const active = this.#active;
    const remove = () => void active.delete(fault);
    const fault: ActiveFault = { route, timing, inflict, seen: 0, strikes: 0, remove };
    active.add(fault);
    return fault;
  }
}

interface ActiveFault extends Fault {
  route: RouteName | "*";
  timing: FaultTiming;
  inflict: (affliction: Affliction) => void;
  seen: number;
  strikes: number;
}
