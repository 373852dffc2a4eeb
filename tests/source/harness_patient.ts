import type { ConformanceDoor, ConformanceHarness } from "../../src/source/conformance.ts";
import { Patience } from "../../src/source/patience.ts";
import { openPatiently } from "../../src/source/patient.ts";
import { FakeClock } from "../base/clock.ts";
import { memoryDoor } from "./harness_memory.ts";

/** The reference behind what outlasts a used-up quota, with no time for it: then nothing of it may be seen. */
export const patientDoor: ConformanceDoor = {
  ...memoryDoor,
  variant: "patient",
  async start(account) {
    const harness = await memoryDoor.start(account);
    const patience = new Patience({ clock: new FakeClock(), total: 0, job: "acme", emit: () => {} });
    return new Proxy(harness, {
      get(target, name: keyof ConformanceHarness) {
        if (name === "open") {
          return (signal: AbortSignal) => openPatiently(() => target.open(signal), patience, signal);
        }
        const value: unknown = target[name];
        // Private parts are the harness's own, not its stand-in's.
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  },
};
