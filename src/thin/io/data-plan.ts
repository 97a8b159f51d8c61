import { IoKind } from "../../util/io-request.ts";
import type { IoError } from "../../util/io-error.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { hasBlocks } from "./block-mask.ts";
import type { OldEntry, PieceOwner } from "./change-piece.ts";
import type { OperationOwner } from "./device-operation.ts";
import { inPlaceExtent } from "./fast-path.ts";
import type { PiecePool } from "./piece-pool.ts";
import type { VolumeCore } from "./volume-core.ts";

/** The request for which a piece is planned: where it is, and what it does next. */
export interface DataTarget extends PieceOwner, OperationOwner {
  readonly core: VolumeCore;
  readonly pieces: PiecePool;
  readonly cursor: number;
  /** Where the bytes end that are written now. */
  readonly dataEnd: number;
  readonly forceUnitAccess: boolean;
  /** What takes space may be left as it is: zeros at the ends of a discard. */
  readonly isOptional: boolean;
  /** Whether the bytes for this range of the volume are all zeros. */
  isZeroData(offsetBytes: number, lengthBytes: number): boolean;
  skip(lengthBytes: number): void;
  started(lengthBytes: number, isDurable: boolean): void;
  waitForLock(lext: number): void;
  waitForSpace(): void;
  /** Until extents that are on their way into the map count once, or no more. */
  waitForQuota(): void;
  fail(error: IoError): void;
}

interface Range {
  /** Bytes from the beginning of the extent. */
  readonly from: number;
  readonly to: number;
}

/**
 * Decides how the bytes at the cursor are written, and starts that: all in one step. `leaf` is resident, or NO_LEAF.
 */
export function planData(target: DataTarget, lext: number, leaf: number): void {
  const { core } = target;
  const { extentBytes } = core.engine.geometry;
  const from = target.cursor - lext * extentBytes;
  const to = Math.min(extentBytes, from + target.dataEnd - target.cursor);
  const phys = inPlaceExtent(core, lext, from, to);
  if (phys >= 0) {
    writeInPlace(target, lext, phys, from);
    return;
  }
  const word = leaf === NO_LEAF ? 0 : core.engine.state.leaves.entry(leaf, lext % LEAF_ENTRIES);
  // Whoever is mapping it now writes zeros there, or bytes that are being written at the same time as ours.
  if (word === 0 && target.isZeroData(target.cursor, to - from)) {
    target.skip(to - from);
  } else if (target.isOptional && !isGrowable(core, lext)) {
    target.skip(to - from);
  } else if (core.locks.isLocked(lext)) {
    target.waitForLock(lext);
  } else if (word === 0 || (to - from === extentBytes && !isGrowable(core, lext))) {
    planNew(target, lext, { from, to }, word !== 0);
  } else {
    planChange(target, lext, { from, to }, oldEntry(core, leaf, lext % LEAF_ENTRIES));
  }
}

/** Writes physically consecutive extents of one leaf, which have what is written and belong to nobody else. */
function writeInPlace(target: DataTarget, lext: number, phys: number, from: number): void {
  const { engine, operations } = target.core;
  const { geometry, state, journal, barrier } = engine;
  const { extentBytes } = geometry;
  const length = from + target.dataEnd - target.cursor;
  const countMax = Math.min(Math.ceil(length / extentBytes), LEAF_ENTRIES - (lext % LEAF_ENTRIES));
  let count = 1;
  while (count < countMax && state.addresses.contiguous(phys, count + 1)) {
    const to = Math.min(extentBytes, length - count * extentBytes);
    if (inPlaceExtent(target.core, lext + count, 0, to) !== phys + count) break;
    count += 1;
  }
  const lengthBytes = Math.min(length, count * extentBytes) - from;
  // Then nothing is missing but the data themselves: the device can make them stable without a flush of everything.
  const isDurable = target.forceUnitAccess && journal.appliedSeq <= barrier.durableSeq;
  const operation = operations.take(target);
  operation.kind = IoKind.write;
  operation.offsetBytes = state.addresses.offsetOf(phys) + from;
  operation.forceUnitAccess = isDurable;
  target.addData(target.cursor, lengthBytes, operation.buffers);
  target.started(lengthBytes, isDurable);
  operation.run(state.addresses.deviceOf(phys), phys, count);
}

/** New extents for a run of unmapped ones, or of mapped ones that are overwritten as a whole: their old content does not matter. */
function planNew(target: DataTarget, lext: number, range: Range, isMapped: boolean): void {
  const { core } = target;
  const { geometry, state } = core.engine;
  const { extentBytes } = geometry;
  const quota = isMapped ? Number.MAX_SAFE_INTEGER : core.quotaLeft();
  if (quota < 1 && core.mappingExtents > 0) {
    target.waitForQuota();
    return;
  }
  if (quota < 1) {
    target.fail(core.error("space", "the volume has used up its quota", target.cursor));
    return;
  }
  const wanted = Math.min(newRun(target, lext, range, isMapped), quota);
  const phys = state.space.allocate(core.state, wanted);
  if (phys === NO_EXTENT) {
    target.waitForSpace();
    return;
  }
  const count = state.space.lastRun;
  const isSafe = !isMapped && state.space.lastIsZero;
  const lengthBytes = Math.min(target.dataEnd - target.cursor, count * extentBytes - range.from);
  const piece = target.pieces.take();
  target.started(lengthBytes, false);
  const written = { from: range.from, to: range.from + lengthBytes };
  piece.mapNew(target, { lext, phys, count }, written, { isSafe, isMapped });
}

/** How many extents from `lext` on are alike and free to be changed. */
function newRun(target: DataTarget, lext: number, range: Range, isMapped: boolean): number {
  const { core } = target;
  const { extentBytes } = core.engine.geometry;
  const { leaves } = core.engine.state;
  const length = range.from + target.dataEnd - target.cursor;
  if (length <= extentBytes) return 1;
  const extents = isMapped ? Math.floor(length / extentBytes) : Math.ceil(length / extentBytes);
  const end = Math.min(lext + extents, lext + LEAF_ENTRIES - (lext % LEAF_ENTRIES));
  const free = core.locks.firstLocked(lext, end);
  const leaf = core.state.map.leafAt(lext);
  let next = lext + 1;
  if (isMapped) {
    while (
      next < free &&
      leaves.entry(leaf, next % LEAF_ENTRIES) !== 0 &&
      inPlaceExtent(core, next, 0, extentBytes) < 0 &&
      !isGrowable(core, next)
    ) {
      next += 1;
    }
  } else {
    while (
      next < free &&
      (leaf === NO_LEAF || leaves.entry(leaf, next % LEAF_ENTRIES) === 0) &&
      !isZeroExtent(target, next)
    ) {
      next += 1;
    }
  }
  return next - lext;
}

function isZeroExtent(target: DataTarget, lext: number): boolean {
  const { extentBytes } = target.core.engine.geometry;
  const offset = lext * extentBytes;
  return target.isZeroData(offset, Math.min(extentBytes, target.dataEnd - offset));
}

/** Whether the extent is PARTIAL, and nobody else's: it takes all blocks. */
export function isGrowable(core: VolumeCore, lext: number): boolean {
  const leaf = core.state.map.leafAt(lext);
  const word = core.engine.state.leaves.entry(leaf, lext % LEAF_ENTRIES);
  return isPartial(word) && core.isExclusive(leaf, physOf(word));
}

/** A part of a mapped extent that cannot be written in place. */
function planChange(target: DataTarget, lext: number, range: Range, old: OldEntry): void {
  const { core } = target;
  const { geometry, state } = core.engine;
  const isPlain = hasBlocks(old.mask, geometry.fullMask);
  const lengthBytes = range.to - range.from;
  if (isGrowable(core, lext)) {
    target.started(lengthBytes, false);
    target.pieces.take().grow(target, lext, range, old);
    return;
  }
  const phys = state.space.allocate(core.state, 1);
  if (phys === NO_EXTENT) {
    target.waitForSpace();
    return;
  }
  target.started(lengthBytes, false);
  const piece = target.pieces.take();
  if (isPlain) piece.overlay(target, { lext, phys }, range, old);
  else piece.merge(target, { lext, phys }, range, old);
}

export function oldEntry(core: VolumeCore, leaf: number, slot: number): OldEntry {
  const { geometry, state } = core.engine;
  const word = state.leaves.entry(leaf, slot);
  if (!isPartial(word)) return { phys: physOf(word), mask: geometry.fullMask, base: NO_EXTENT };
  const mask = state.leaves.mask(leaf, slot);
  return { phys: physOf(word), mask, base: state.leaves.base(leaf, slot) };
}
