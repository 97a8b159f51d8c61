import type { SeededRandom } from "../../src/util/random.ts";

/** What a device can do wrong. The last three are lies: it says that all is well. */
export const FAULT_KINDS = [
  /** A read or a write fails, the write after some of its pages. */
  "readError",
  "writeError",
  /** A flush fails, and what it should have written is marked clean. */
  "flushError",
  /** A device loses its cache while the machine stays up: one flush fails, and from then on reads show what the medium has. */
  "cacheLost",
  /** The file system below has no more blocks. */
  "noSpace",
  /** An operation takes half a minute. */
  "stuck",
  /** A write is acknowledged and never happens. */
  "lostWrite",
  /** A write is acknowledged, and happens elsewhere. */
  "misdirectedWrite",
  /** A bit of the medium changes, while nobody looks. */
  "bitFlip",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export function isLie(kind: FaultKind): boolean {
  return kind === "lostWrite" || kind === "misdirectedWrite" || kind === "bitFlip";
}

/** Whether the engine has to go on with it, and to do all that it can without what is missing. */
export function isBorne(kind: FaultKind): boolean {
  return kind === "noSpace" || kind === "stuck";
}

/** One fault of a round: on which device, and after how many operations that it could befall. */
export interface Fault {
  readonly kind: FaultKind;
  readonly device: number;
  readonly after: number;
  readonly count: number;
}

/** The faults that lie ahead in a round, counted down as operations pass. */
export class FaultQueue {
  #ahead: { fault: Fault; after: number; count: number }[] = [];
  readonly injected: Map<FaultKind, number> = new Map();

  set(faults: readonly Fault[]): void {
    this.#ahead = faults.map((fault) => ({ fault, after: fault.after, count: fault.count }));
  }

  /** Whether this operation is hit. */
  hits(kind: FaultKind, device: number): boolean {
    for (const entry of this.#ahead) {
      if (entry.fault.kind !== kind || entry.fault.device !== device || entry.count === 0) continue;
      entry.after -= 1;
      if (entry.after >= 0) continue;
      entry.count -= 1;
      this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
      return true;
    }
    return false;
  }

  /** Whether a fault of the kind is due or to come on the device: what `try...` must leave to `submit`. */
  awaits(kind: FaultKind, device: number): boolean {
    return this.#ahead.some(
      ({ fault, count }) => fault.kind === kind && fault.device === device && count > 0,
    );
  }
}

export function faultOf(random: SeededRandom, kinds: readonly FaultKind[], devices: number): Fault {
  return {
    kind: random.pick(kinds),
    device: random.below(devices),
    after: random.below(random.pick([2, 10, 40])),
    count: random.pick([1, 1, 2, 20]),
  };
}

/** A file system that is full for a while: writes into it fail so often, until somebody makes room. */
export function fullDiskOf(random: SeededRandom, devices: number): Fault {
  return {
    kind: "noSpace",
    device: random.below(devices),
    after: random.below(random.pick([1, 10])),
    count: random.pick([1, 5, 40, 200]),
  };
}
