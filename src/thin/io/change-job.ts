import { assert } from "../../util/assert.ts";
import { type IoError, isShortage } from "../../util/io-error.ts";
import { IoKind, type IoRequest } from "../../util/io-request.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import type { ChangePiece, PieceOwner } from "./change-piece.ts";
import { planData, type DataTarget } from "./data-plan.ts";
import type { OperationOwner } from "./device-operation.ts";
import type { LockWaiter } from "./extent-locks.ts";
import type { HeldWrite } from "./engine.ts";
import type { GateEntrant } from "./gate.ts";
import { PIECES_IN_FLIGHT_MAX } from "./limits.ts";
import type { PiecePool } from "./piece-pool.ts";
import { addViews, addZeroes, isZeroRange } from "./request-bytes.ts";
import type { QuotaWaiter, VolumeCore } from "./volume-core.ts";

/** Why no further piece of a request is started. */
const Blocked = { no: 0, leaf: 1, lock: 2, space: 3, quota: 4 } as const;
type Blocked = (typeof Blocked)[keyof typeof Blocked];

/**
 * One write, discard or writeZeroes on its way, piece by piece, several of them at a time. What cannot be done in place becomes a
 * {@link ChangePiece}. A job that waits for space is outside the gate, and holds no lock: an unmap, a snapshot or a delete need not wait for it.
 */
export class ChangeJob
  implements DataTarget, OperationOwner, PieceOwner, LockWaiter, QuotaWaiter, GateEntrant, HeldWrite
{
  waitExtent = 0;
  untilMs = 0;
  /** Requests have their bytes in several buffers. */
  readonly whole = null;
  readonly wholeOffset = 0;
  readonly core: VolumeCore;
  readonly pieces: PiecePool;
  readonly #recycle: (job: ChangeJob) => void;
  #request: IoRequest | null = null;
  #cursor = 0;
  #end = 0;
  /** The whole extents of a discard or writeZeroes, which are unmapped. */
  #wholeFrom = 0;
  #wholeTo = 0;
  #inFlight = 0;
  #error: IoError | null = null;
  #blocked: Blocked = Blocked.no;
  #isAdvancing = false;
  /** The storage below had no room for some of it: all of it is done again. */
  #isOutOfRoom = false;
  /** What it did is not on stable media by itself. */
  #needsBarrier = false;

  constructor(core: VolumeCore, pieces: PiecePool, recycle: (job: ChangeJob) => void) {
    this.core = core;
    this.pieces = pieces;
    this.#recycle = recycle;
  }

  start(request: IoRequest): void {
    assert(this.#request === null, "a job has one request at a time");
    this.#request = request;
    this.#error = null;
    this.#needsBarrier = false;
    this.untilMs = 0;
    this.#begin(request);
  }

  #begin(request: IoRequest): void {
    this.#cursor = request.offsetBytes;
    this.#end = request.offsetBytes + request.lengthBytes;
    this.#wholeFrom = this.#end;
    this.#wholeTo = this.#end;
    this.#isOutOfRoom = false;
    this.admitted();
  }

  /** The storage below may have room. */
  retry(): void {
    this.#begin(this.#wanted());
  }

  giveUp(error: IoError): void {
    this.#isOutOfRoom = false;
    this.#answer(error);
  }

  admitted(): void {
    const { gate } = this.core;
    const request = this.#wanted();
    if (!gate.tryEnterChange()) {
      gate.wait(this);
      return;
    }
    this.#blocked = Blocked.no;
    this.#error = this.core.refusal(request, request.offsetBytes, request.lengthBytes);
    // Not before it is inside: the end of the volume may have moved.
    if (request.kind !== IoKind.write) this.#findWhole(request);
    this.#advance();
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Where the bytes end that are written like the one at the cursor. */
  get dataEnd(): number {
    return this.#cursor < this.#wholeFrom ? Math.min(this.#end, this.#wholeFrom) : this.#end;
  }

  get forceUnitAccess(): boolean {
    return this.#wanted().forceUnitAccess;
  }

  get isOptional(): boolean {
    return this.#wanted().kind === IoKind.discard;
  }

  isZeroData(offsetBytes: number, lengthBytes: number): boolean {
    const request = this.#wanted();
    if (request.kind !== IoKind.write) return true;
    return isZeroRange(request.buffers, offsetBytes - request.offsetBytes, lengthBytes);
  }

  addData(offsetBytes: number, lengthBytes: number, views: Uint8Array[]): void {
    const request = this.#wanted();
    if (request.kind !== IoKind.write) addZeroes(lengthBytes, views);
    else addViews(request.buffers, offsetBytes - request.offsetBytes, lengthBytes, views);
  }

  /** They are there until the request is done. */
  kept(view: Uint8Array): Uint8Array {
    return view;
  }

  recall(): null {
    return null;
  }

  /** Goes past bytes for which nothing is to be done, for the volume has zeros there. */
  skip(lengthBytes: number): void {
    const { journal, barrier } = this.core.engine;
    this.#cursor += lengthBytes;
    if (journal.appliedSeq > barrier.durableSeq) this.#needsBarrier = true;
  }

  /** A transfer of the next bytes is about to begin. */
  started(lengthBytes: number, isDurable: boolean): void {
    this.#cursor += lengthBytes;
    this.#inFlight += 1;
    if (!isDurable) this.#needsBarrier = true;
  }

  waitForLock(lext: number): void {
    this.#blocked = Blocked.lock;
    this.waitExtent = lext;
    this.core.locks.wait(this);
  }

  waitForSpace(): void {
    this.#blocked = Blocked.space;
  }

  waitForQuota(): void {
    this.#blocked = Blocked.quota;
    this.core.waitForQuota(this);
  }

  fail(error: IoError): void {
    this.#error ??= error;
  }

  operationDone(error: IoError | null): void {
    this.#inFlight -= 1;
    // Devices and the journal say so; what has no space in the pool has not begun.
    if (error !== null && isShortage(error)) this.#isOutOfRoom = true;
    else this.#error ??= error;
    this.#advance();
  }

  pieceDone(piece: ChangePiece, error: IoError | null): void {
    this.pieces.put(piece);
    this.operationDone(error);
  }

  unlocked(): void {
    this.#blocked = Blocked.no;
    this.#advance();
  }

  mappingEnded(): void {
    this.unlocked();
  }

  /** The barrier behind a request with forceUnitAccess. */
  done(error: IoError | null): void {
    this.#answer(error);
  }

  #wanted(): IoRequest {
    const request = this.#request;
    assert(request !== null, "a job that runs has a request");
    return request;
  }

  /**
   * Unmapped are whole extents only; the end of the volume is as good as the end of an extent. At the ends zeros are written, by a discard as
   * far as that takes no space: then initiators, who are told that what is unmapped reads as zeros, see zeros whatever they align to.
   */
  #findWhole(request: IoRequest): void {
    const { extentBytes } = this.core.engine.geometry;
    const end = request.offsetBytes + request.lengthBytes;
    const isToEnd = end === this.core.state.attributes.sizeBytes;
    const from = Math.ceil(request.offsetBytes / extentBytes) * extentBytes;
    const to = isToEnd ? end : Math.floor(end / extentBytes) * extentBytes;
    const isAny = from < to;
    this.#wholeFrom = isAny ? from : end;
    this.#wholeTo = isAny ? to : end;
  }

  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (
      this.#error === null &&
      this.#blocked === Blocked.no &&
      !this.#isOutOfRoom &&
      this.#cursor < this.#end &&
      this.#inFlight < PIECES_IN_FLIGHT_MAX
    ) {
      this.#step();
    }
    this.#isAdvancing = false;
    if (this.#inFlight === 0) this.#settle();
  }

  /** Nothing of it runs any more. */
  #settle(): void {
    switch (this.#blocked) {
      case Blocked.leaf:
      case Blocked.lock:
      case Blocked.quota:
        return;
      case Blocked.space:
        if (this.#error === null && !this.#isOutOfRoom) this.#leaveForSpace();
        else this.#finish();
        return;
      case Blocked.no:
        this.#finish();
    }
  }

  #step(): void {
    const { engine, state } = this.core;
    const { leaves } = engine.state;
    this.#error = this.#wanted().abandoned ? this.core.abandoned() : engine.health.failure;
    if (this.#error !== null) return;
    const lext = Math.floor(this.#cursor / engine.geometry.extentBytes);
    const leaf = state.map.leafAt(lext);
    const isWhole = this.#cursor >= this.#wholeFrom && this.#cursor < this.#wholeTo;
    const isResident = leaf === NO_LEAF || leaves.isResident(leaf);
    if (isWhole) this.#unmap(lext, leaf, isResident);
    else if (!isResident) this.#load(leaf, lext);
    else planData(this, lext, leaf);
  }

  /** Unmaps the rest of a leaf, as far as it is wanted and nobody else changes it. */
  #unmap(lext: number, leaf: number, isResident: boolean): void {
    const { engine, locks } = this.core;
    const { extentBytes } = engine.geometry;
    const leafEnd = (Math.floor(lext / LEAF_ENTRIES) + 1) * LEAF_ENTRIES;
    const end = Math.min(Math.ceil(this.#wholeTo / extentBytes), leafEnd);
    if (leaf === NO_LEAF) {
      this.#skipTo(end);
      return;
    }
    const free = locks.firstLocked(lext, end);
    if (free === lext) {
      this.waitForLock(lext);
    } else if (isResident) {
      this.#unmapMapped(lext, free, leaf);
    } else if (free - lext === LEAF_ENTRIES) {
      // The whole leaf goes, whatever is in it.
      this.#unmapRun(lext, free);
    } else this.#load(leaf, lext);
  }

  #unmapMapped(lext: number, end: number, leaf: number): void {
    const { leaves, space } = this.core.engine.state;
    const isShared = leaves.references(leaf) > 1;
    const isToEnd = end % LEAF_ENTRIES === 0 || end === this.core.state.map.extentCount;
    if (isShared && isToEnd && lext % LEAF_ENTRIES === 0) {
      this.#unmapRun(lext, end);
      return;
    }
    let first = lext;
    while (first < end && leaves.entry(leaf, first % LEAF_ENTRIES) === 0) first += 1;
    let last = end;
    while (last > first && leaves.entry(leaf, (last - 1) % LEAF_ENTRIES) === 0) last -= 1;
    if (first > lext) this.#skipTo(first);
    // To take something out of a shared leaf makes one of its own, and frees nothing.
    if (first < last && isShared && space.isMetadataShort) {
      this.waitForSpace();
      return;
    }
    if (first < last) this.#unmapRun(first, last);
    if (last < end && first < last) this.#skipTo(end);
  }

  #unmapRun(first: number, end: number): void {
    this.started(this.#bytesTo(end), false);
    this.pieces.take().unmap(this, first, end - first);
  }

  #skipTo(lext: number): void {
    this.skip(this.#bytesTo(lext));
  }

  #bytesTo(lext: number): number {
    return Math.min(lext * this.core.engine.geometry.extentBytes, this.#end) - this.#cursor;
  }

  /** Waits for a leaf, and then looks again: another may be in its place by then. */
  #load(leaf: number, lext: number): void {
    const { map } = this.core.state;
    const leafIndex = Math.floor(lext / LEAF_ENTRIES);
    this.#blocked = Blocked.leaf;
    map.pinSlot(leafIndex);
    const loaded = (error: IoError | null): void => {
      this.#blocked = Blocked.no;
      this.#error ??= error;
      this.#isAdvancing = true;
      if (this.#error === null) this.#step();
      this.#isAdvancing = false;
      map.unpinSlot(leafIndex);
      this.#advance();
    };
    this.core.engine.state.leaves.load(leaf).then(() => loaded(null), loaded);
  }

  #leaveForSpace(): void {
    this.core.gate.leaveChange();
    this.core.engine.fullPolicy.wait(
      () => this.admitted(),
      (error) => this.#answer(error),
    );
  }

  #finish(): void {
    const request = this.#wanted();
    // What was on its way when the pool stopped may be lost, or another host's by now.
    this.#error ??= this.core.engine.health.failure;
    this.core.engine.isDirty = true;
    this.core.gate.leaveChange();
    if (this.#error === null && this.#isOutOfRoom) {
      this.core.engine.storage.hold(this);
      return;
    }
    if (this.#error === null && this.untilMs !== 0) this.core.engine.storage.passed();
    if (this.#error === null && request.forceUnitAccess && this.#needsBarrier) {
      this.core.engine.barrier.sync(this);
    } else this.#answer(this.#error);
  }

  #answer(error: IoError | null): void {
    const request = this.#wanted();
    this.#request = null;
    this.#blocked = Blocked.no;
    this.#recycle(this);
    request.done(error);
  }
}
