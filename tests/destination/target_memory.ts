import { AppError } from "../../src/base/errors.ts";
import { MemoryDestination, type MemoryFaults } from "../../src/destination/memory.ts";
import type { Strike } from "../../src/destination/conformance.ts";
import type { Target } from "./target.ts";

const WIRE = "there is nothing between it and its memory that could break";

export const memory: Target = {
  name: "memory",
  lacks: {
    block: "it takes every body in one piece",
    network: WIRE,
    loseAnswer: WIRE,
    portal: WIRE,
    redirect: WIRE,
  },
  start() {
    const objects = new Map<string, Uint8Array>();
    const faults: MemoryFaults = {};
    const open = () =>
      Promise.resolve(new MemoryDestination("memory", objects, faults, { immutableUntil: true }));
    const refusing = (error: AppError) =>
      Promise.resolve(new MemoryDestination("memory", objects, { before: () => Promise.reject(error) }));
    return Promise.resolve({
      prefix: "conformance/",
      secrets: ["made-up-secret"],
      open,
      faults: {
        wrongCredentials: () => refusing(new AppError("denied", "wrong password")),
        missingPlace: () => refusing(new AppError("misconfigured", "no such place")),
        busy: (times) =>
          struck(faults, "before", (strike) => (operation: string) => {
            if (operation === "put" && strike.count < times) {
              strike.throw(new AppError("transient", "not now"));
            }
          }),
        truncate: () =>
          struck(
            faults,
            "kept",
            (strike) => (_key: string, bytes: Uint8Array) =>
              strike.count++ === 0 ? bytes.subarray(0, -1) : bytes,
          ),
        full: () =>
          struck(faults, "before", (strike) => (operation: string) => {
            if (operation === "put") strike.throw(new AppError("quota", "there is no space left"));
          }),
        plant(name) {
          const bytes = new Uint8Array(3);
          objects.set(name, bytes);
          return Promise.resolve({ intact: () => Promise.resolve(objects.get(name) === bytes) });
        },
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

/** Sets one fault until it is disposed of. */
function struck<Name extends keyof MemoryFaults>(
  faults: MemoryFaults,
  name: Name,
  make: (strike: { count: number; throw(error: AppError): never }) => NonNullable<MemoryFaults[Name]>,
): Promise<Strike> {
  const strike = {
    count: 0,
    throw(error: AppError): never {
      strike.count++;
      throw error;
    },
  };
  faults[name] = make(strike);
  return Promise.resolve({
    times: () => strike.count,
    [Symbol.asyncDispose]: () => Promise.resolve(void delete faults[name]),
  });
}
