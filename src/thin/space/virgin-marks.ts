import { assert } from "../../util/assert.ts";
import type { AddressSpace } from "./address-space.ts";

/** The mark moves on when fewer extents than this can be allocated: enough for what comes in while its record becomes durable. */
export const VIRGIN_AHEAD_EXTENTS = 4096;
/** So far at once: what a crash makes unknown again, against a record for each. 512 MiB at 64 KiB. */
const VIRGIN_STEP_EXTENTS = 8192;

/** A step of a mark: extents `first` to `end` - 1 of the pool can be allocated from now on. */
export interface VirginStep {
  readonly first: number;
  readonly end: number;
}

/**
 * How far each segment may be allocated from: up to the mark that is durable (rule V). The mark that was appended is the segment's
 * own. Segments that are not durable themselves have none yet.
 */
export class VirginMarks {
  readonly #addresses: AddressSpace;
  readonly #durable: number[] = [];

  constructor(addresses: AddressSpace) {
    this.#addresses = addresses;
  }

  /** Extents of announced segments past their durable marks. */
  get virginExtents(): number {
    return this.#durable.reduce(
      (sum, mark, index) => sum + this.#addresses.segments[index]!.extents - mark,
      0,
    );
  }

  get announced(): number {
    return this.#durable.length;
  }

  durableMark(segment: number): number {
    return this.#durable[segment] ?? 0;
  }

  /** The next segment is durable, with this mark. */
  announce(mark: number): VirginStep {
    const index = this.#durable.length;
    const segment = this.#addresses.segments[index];
    assert(segment !== undefined, "a segment is there before it is announced");
    assert(mark <= segment.virginFrom, "a durable mark was appended");
    this.#durable.push(mark);
    const first = this.#addresses.firstOf(index);
    return { first, end: first + mark };
  }

  /** The mark that should be appended next, if it is time: `allocatable` is how many extents can be allocated now, less than none if some are missing. */
  next(allocatable: number): { segment: number; from: number } | null {
    if (allocatable >= VIRGIN_AHEAD_EXTENTS) return null;
    for (const [segment, mark] of this.#durable.entries()) {
      const { extents, virginFrom } = this.#addresses.segments[segment]!;
      // A record is on its way: one at a time is enough.
      if (virginFrom > mark) return null;
      const step = Math.max(VIRGIN_STEP_EXTENTS, VIRGIN_AHEAD_EXTENTS - allocatable);
      if (mark < extents) return { segment, from: Math.min(extents, mark + step) };
    }
    return null;
  }

  /** The mark is durable; null where that is no news. */
  durable(segment: number, from: number): VirginStep | null {
    const before = this.#durable[segment];
    assert(before !== undefined, "a mark moves in a segment that is durable");
    assert(from <= this.#addresses.segments[segment]!.virginFrom, "a durable mark was appended");
    if (from <= before) return null;
    this.#durable[segment] = from;
    const first = this.#addresses.firstOf(segment);
    return { first: first + before, end: first + from };
  }
}
