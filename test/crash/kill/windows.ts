import { LEAF_ENTRIES } from "../../../src/thin/format/layout.ts";
import { assert } from "../../../src/util/assert.ts";

const SECTOR_BYTES = 512;
const MIB = 1024 * 1024;

interface Window {
  readonly lba: number;
  readonly sectors: number;
  /** Number of its first sector among those of all windows. */
  readonly first: number;
}

/** The size of volumes when they are not cut, in sectors. */
export const FULL_SECTORS: number = (256 * MIB) / SECTOR_BYTES;

/**
 * The parts of a volume that are written and verified, so that a large volume is verified within moments: its beginning, both sides of
 * the border between two leaves of the map, and a part that a shrink cuts through. Their sectors are numbered through as slots.
 */
export class Windows {
  readonly #windows: readonly Window[];
  readonly slots: number;

  constructor(extentBytes: number) {
    const leafBytes = LEAF_ENTRIES * extentBytes;
    const border = Math.min(leafBytes, 128 * MIB) - MIB;
    const places = [
      { bytes: 0, length: 3 * MIB },
      { bytes: border, length: 2 * MIB },
      { bytes: 200 * MIB, length: 2 * MIB },
    ];
    let first = 0;
    this.#windows = places.map(({ bytes, length }) => {
      const window = { lba: bytes / SECTOR_BYTES, sectors: length / SECTOR_BYTES, first };
      first += window.sectors;
      return window;
    });
    this.slots = first;
  }

  /** Those that a volume of this size has all or a part of. */
  within(capacitySectors: number): Window[] {
    return this.#windows
      .filter(({ lba }) => lba < capacitySectors)
      .map((window) => ({
        ...window,
        sectors: Math.min(window.sectors, capacitySectors - window.lba),
      }));
  }

  /** The one that a shrink cuts. */
  get last(): Window {
    const window = this.#windows.at(-1);
    assert(window !== undefined, "there are windows");
    return window;
  }

  lbaOf(slot: number): number {
    const window = this.#windows.findLast(({ first }) => first <= slot);
    assert(window !== undefined, "a slot lies in a window");
    return window.lba + slot - window.first;
  }
}
