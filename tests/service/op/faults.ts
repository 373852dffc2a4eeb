import type { OpCall } from "./calls.ts";

/** When a fault strikes. */
export interface OpFaultTiming {
  /** How often; until it is removed when left out. */
  times?: number;
  /** How many matching calls it lets through first. */
  after?: number;
  /** Only calls that say this in one of their arguments or in their input, such as an id. */
  about?: string;
}

/** What is done to a call. */
export interface Blow {
  /** Never answers. */
  hang?: true;
  /** Complains of this instead of answering. */
  complaint?: string;
  code?: number;
  /** Prints this instead, and is content. */
  instead?: string | Uint8Array;
  /** Prints only this share of its output (0 to 1), then ends with `code`, 0 when left out, saying `complaint`. */
  share?: number;
  /** Waits so many milliseconds before each piece of output. */
  pause?: number;
  /** Changes the output. */
  edit?: (output: string) => string;
}

interface Fault {
  command: string;
  timing: OpFaultTiming;
  blow: Blow;
  seen: number;
  strikes: number;
}

/** What the fake is to do wrong. */
export class OpFaults {
  readonly #active = new Set<Fault>();

  /**
   * Strikes calls of this command, such as `item get`; `*` is every one.
   * @returns a function that removes it
   */
  add(command: string, blow: Blow, timing: OpFaultTiming = {}): () => void {
    const fault = { command, blow, timing, seen: 0, strikes: 0 };
    this.#active.add(fault);
    return () => void this.#active.delete(fault);
  }

  /** Complains instead of answering. */
  fail(command: string, complaint: string, timing: OpFaultTiming = {}): () => void {
    return this.add(command, { complaint, code: 1 }, timing);
  }

  /** Never answers. */
  hang(command: string, timing: OpFaultTiming = {}): () => void {
    return this.add(command, { hang: true }, timing);
  }

  /** Dies in the middle of its output, as a Go program that panics. */
  crash(command: string, options: OpFaultTiming & { share?: number } = {}): () => void {
    const { share = 0.5, ...timing } = options;
    const complaint = "panic: runtime error: invalid memory address or nil pointer dereference";
    return this.add(command, { share, complaint, code: 2 }, timing);
  }

  clear(): void {
    this.#active.clear();
  }

  /** What strikes this call. */
  strike(call: OpCall): Blow {
    const blow: Blow = {};
    for (const fault of this.#active) {
      const { command, timing } = fault;
      if (command !== "*" && command !== call.command) continue;
      if (timing.about !== undefined && ![...call.argv, call.stdin ?? ""].join("\n").includes(timing.about)) {
        continue;
      }
      fault.seen++;
      if (fault.seen <= (timing.after ?? 0) || fault.strikes >= (timing.times ?? Infinity)) continue;
      fault.strikes++;
      Object.assign(blow, fault.blow);
    }
    return blow;
  }
}
