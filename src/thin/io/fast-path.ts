import type { BlockDevice } from "../../device/block-device.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { hasBlockAt, hasBlocks, runEnd, touchedBlocks } from "./block-mask.ts";
import type { VolumeCore } from "./volume-core.ts";

/**
 * Reads and writes that can be done within one turn of the event loop: what they touch is mapped (or a hole to read), its leaves
 * are in memory, and the devices take it at once. Nothing is allocated here, neither space nor memory.
 */
export class FastPath {
  readonly #core: VolumeCore;
  /** The run that is being gathered: physically consecutive bytes that one call of the device moves. */
  #device: BlockDevice | null = null;
  #runOffset = 0;
  #runLength = 0;
  #buffer: Uint8Array = new Uint8Array(0);
  /** Where the run begins in the buffer. */
  #runFrom = 0;
  #isReading = false;

  constructor(core: VolumeCore) {
    this.#core = core;
  }

  /** Contract of `BlockDevice.tryRead`. */
  read(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const { engine, isGone, gate } = this.#core;
    if (gate.isClosedToReads || isGone || engine.health.failure !== null) return false;
    if (!this.#holds(offsetBytes, lengthBytes)) return false;
    const { extentBytes } = engine.geometry;
    const first = Math.floor(offsetBytes / extentBytes);
    const firstFrom = offsetBytes - first * extentBytes;
    if (firstFrom + lengthBytes <= extentBytes) {
      // Most often: nothing is to be gathered.
      const phys = this.#plainExtent(first);
      if (phys >= 0) {
        const { addresses } = engine.state;
        const deviceOffset = addresses.offsetOf(phys) + firstFrom;
        return addresses.deviceOf(phys).tryRead(buffer, bufferOffset, lengthBytes, deviceOffset);
      }
    }
    this.#begin(buffer, true);
    const end = offsetBytes + lengthBytes;
    let into = bufferOffset;
    for (let at = offsetBytes; at < end;) {
      const lext = Math.floor(at / extentBytes);
      const from = at - lext * extentBytes;
      const to = Math.min(extentBytes, from + end - at);
      if (!this.#readExtent(lext, from, to, into)) return this.#giveUp();
      at += to - from;
      into += to - from;
    }
    return this.#move();
  }

  /** Contract of `BlockDevice.tryWrite`. What was written before a part that cannot be is written again by the caller. */
  write(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    const { engine, isGone, gate, state } = this.#core;
    if (gate.isClosed || isGone || engine.health.failure !== null) return false;
    if (state.attributes.readOnly || !this.#holds(offsetBytes, lengthBytes)) return false;
    const { extentBytes } = engine.geometry;
    const first = Math.floor(offsetBytes / extentBytes);
    const firstFrom = offsetBytes - first * extentBytes;
    if (firstFrom + lengthBytes <= extentBytes) {
      // Most often: nothing is to be gathered.
      const phys = inPlaceExtent(this.#core, first, firstFrom, firstFrom + lengthBytes);
      if (phys < 0) return false;
      const { addresses } = engine.state;
      const deviceOffset = addresses.offsetOf(phys) + firstFrom;
      const device = addresses.deviceOf(phys);
      if (!device.tryWrite(buffer, bufferOffset, lengthBytes, deviceOffset)) return false;
      engine.isDirty = true;
      return true;
    }
    this.#begin(buffer, false);
    const end = offsetBytes + lengthBytes;
    let next = bufferOffset;
    for (let at = offsetBytes; at < end;) {
      const lext = Math.floor(at / extentBytes);
      const from = at - lext * extentBytes;
      const to = Math.min(extentBytes, from + end - at);
      const phys = inPlaceExtent(this.#core, lext, from, to);
      if (phys < 0 || !this.#add(phys, from, to - from, next)) return this.#giveUp();
      at += to - from;
      next += to - from;
    }
    if (!this.#move()) return false;
    engine.isDirty = true;
    return true;
  }

  #holds(offsetBytes: number, lengthBytes: number): boolean {
    const { sizeBytes } = this.#core.state.attributes;
    return offsetBytes >= 0 && lengthBytes > 0 && offsetBytes + lengthBytes <= sizeBytes;
  }

  /** Where the whole extent is, or -1: it is a hole, PARTIAL, or not in memory. */
  #plainExtent(lext: number): number {
    const { leaves } = this.#core.engine.state;
    const leaf = this.#core.state.map.leafAt(lext);
    if (leaf === NO_LEAF || !leaves.isResident(leaf)) return -1;
    const word = leaves.entry(leaf, lext % LEAF_ENTRIES);
    return word === 0 || isPartial(word) ? -1 : physOf(word);
  }

  #begin(buffer: Uint8Array, isReading: boolean): void {
    this.#buffer = buffer;
    this.#isReading = isReading;
    this.#runLength = 0;
  }

  /** Reads `from` to `to` of an extent into the buffer at `into`. */
  #readExtent(lext: number, from: number, to: number, into: number): boolean {
    const { leaves } = this.#core.engine.state;
    const leaf = this.#core.state.map.leafAt(lext);
    if (leaf === NO_LEAF) return this.#clear(into, to - from);
    if (!leaves.isResident(leaf)) return false;
    const slot = lext % LEAF_ENTRIES;
    const word = leaves.entry(leaf, slot);
    if (word === 0) return this.#clear(into, to - from);
    if (!isPartial(word)) return this.#add(physOf(word), from, to - from, into);
    return this.#readPartial(leaf, slot, { from, to, into });
  }

  /** The object of the range is a cost that only PARTIAL extents have, which are on their way to become plain. */
  #readPartial(
    leaf: number,
    slot: number,
    range: { readonly from: number; readonly to: number; readonly into: number },
  ): boolean {
    const { geometry, state } = this.#core.engine;
    const mask = state.leaves.mask(leaf, slot);
    const base = state.leaves.base(leaf, slot);
    const own = physOf(state.leaves.entry(leaf, slot));
    const { from, to, into } = range;
    for (let at = from; at < to;) {
      const end = runEnd(geometry, mask, at, to);
      const phys = hasBlockAt(geometry, mask, at) ? own : base;
      const next = into + at - from;
      const isDone = phys < 0 ? this.#clear(next, end - at) : this.#add(phys, at, end - at, next);
      if (!isDone) return false;
      at = end;
    }
    return true;
  }

  #clear(into: number, lengthBytes: number): boolean {
    this.#buffer.fill(0, into, into + lengthBytes);
    return true;
  }

  /** Adds a part of an extent to the run, or moves the run and begins another. */
  #add(phys: number, from: number, lengthBytes: number, bufferAt: number): boolean {
    const { addresses } = this.#core.engine.state;
    const device = addresses.deviceOf(phys);
    const offset = addresses.offsetOf(phys) + from;
    if (
      this.#runLength > 0 &&
      device === this.#device &&
      offset === this.#runOffset + this.#runLength &&
      bufferAt === this.#runFrom + this.#runLength
    ) {
      this.#runLength += lengthBytes;
      return true;
    }
    if (!this.#move()) return false;
    this.#device = device;
    this.#runOffset = offset;
    this.#runFrom = bufferAt;
    this.#runLength = lengthBytes;
    return true;
  }

  #move(): boolean {
    const device = this.#device;
    const length = this.#runLength;
    this.#runLength = 0;
    if (length === 0 || device === null) return true;
    return this.#isReading
      ? device.tryRead(this.#buffer, this.#runFrom, length, this.#runOffset)
      : device.tryWrite(this.#buffer, this.#runFrom, length, this.#runOffset);
  }

  #giveUp(): false {
    this.#runLength = 0;
    return false;
  }
}

/** The extent that takes a write of `from` to `to` in place, or -1: nobody else may see it, and it must have the blocks. */
export function inPlaceExtent(core: VolumeCore, lext: number, from: number, to: number): number {
  const { geometry, state } = core.engine;
  const { leaves } = state;
  const leaf = core.state.map.leafAt(lext);
  if (leaf === NO_LEAF || !leaves.isResident(leaf)) return -1;
  const slot = lext % LEAF_ENTRIES;
  const word = leaves.entry(leaf, slot);
  if (word === 0) return -1;
  const phys = physOf(word);
  if (!core.isExclusive(leaf, phys)) return -1;
  if (isPartial(word) && !hasBlocks(leaves.mask(leaf, slot), touchedBlocks(geometry, from, to))) {
    return -1;
  }
  return phys;
}
