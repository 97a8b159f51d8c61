import { assert } from "../../util/assert.ts";
import type { IoError } from "../../util/io-error.ts";
import { IoKind } from "../../util/io-request.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import type { JournalRecord } from "../format/records.ts";
import { hasBlockAt, hasBlocks, joinMasks, runEnd, touchedBlocks } from "./block-mask.ts";
import type { OperationOwner } from "./device-operation.ts";
import type { EngineAppendWaiter } from "./engine.ts";
import type { ExtentLock } from "./extent-locks.ts";
import { TURN_BYTES_MAX } from "./limits.ts";
import type { VolumeCore } from "./volume-core.ts";

/** Whose piece it is. */
export interface PieceOwner {
  /** Where all of the bytes lie in one run, from {@link wholeOffset} on; null: they have to be asked for. */
  readonly whole: Uint8Array | null;
  readonly wholeOffset: number;
  /** Adds views of the bytes that go to the volume at `offsetBytes`. */
  addData(offsetBytes: number, lengthBytes: number, views: Uint8Array[]): void;
  /** The device takes the bytes in its own time: what is there until then. */
  kept(view: Uint8Array): Uint8Array;
  /** The change is withdrawn: where its bytes go to that are nowhere else than in the extent by now; null: the owner has them. */
  recall(lengthBytes: number): Uint8Array | null;
  pieceDone(piece: ChangePiece, error: IoError | null): void;
}

/** An entry of a map as it was decided upon; `mask` is full where it is plain. */
export interface OldEntry {
  readonly phys: number;
  readonly mask: number;
  readonly base: number;
}

/** A record that is filled in anew for each change: nobody keeps one that has taken effect. */
type Draft<Kind extends JournalRecord["kind"]> = {
  -readonly [Key in keyof Extract<JournalRecord, { kind: Kind }>]: Extract<
    JournalRecord,
    { kind: Kind }
  >[Key];
};

const NO_BYTES: Buffer = Buffer.alloc(0);

const NOTHING: OldEntry = { phys: NO_EXTENT, mask: 0, base: NO_EXTENT };

/**
 * A change of the map of one run of extents of one leaf (rules S and A): it takes the lock, completes what it writes to whole blocks, writes the
 * data, appends the record, lets go, and tells its owner. What it decided upon cannot change meanwhile: others who would change it
 * need the lock, and an instant (rule N) waits for the gate.
 */
export class ChangePiece implements OperationOwner, EngineAppendWaiter, ExtentLock {
  lockFirst = 0;
  lockEnd = 0;
  lockIndex = -1;
  lockNext: ExtentLock | null = null;
  readonly #core: VolumeCore;
  #owner: PieceOwner | null = null;
  #leafIndex = 0;
  #old: OldEntry = NOTHING;
  /** The extents that are written: `#count` from `#phys`. */
  #phys = NO_EXTENT;
  #count = 0;
  #isNew = false;
  #mapping = 0;
  /** What is written, and what of that are the user's bytes, from the beginning of the first extent. */
  #writeFrom = 0;
  #writeTo = 0;
  #userFrom = 0;
  #userTo = 0;
  readonly #records: JournalRecord[] = [];
  /** The one map record that a change has at the most, and the first PARTIAL one. */
  readonly #map: Draft<"map">;
  readonly #partial: Draft<"partial">;
  /** What is written, while it is put together. */
  readonly #buffers: Uint8Array[] = [];
  #head: Buffer = NO_BYTES;
  #tail: Buffer = NO_BYTES;
  #inFlight = 0;
  #isReading = false;
  /** Why the change is withdrawn, while its bytes are read back. */
  #withdrawal: IoError | null = null;
  #error: IoError | null = null;

  constructor(core: VolumeCore) {
    this.#core = core;
    const volume = core.state.attributes.id;
    this.#map = { kind: "map", volume, lext: 0, phys: NO_EXTENT, run: 0, safe: false };
    this.#partial = { kind: "partial", volume, lext: 0, phys: NO_EXTENT, mask: 0, base: NO_EXTENT };
  }

  /**
   * Maps new extents, `count` from `phys`, which were unmapped (`isSafe`: and the new ones are zeros), or are overwritten as a whole.
   * Of extents that are not zeros only whole blocks are written, and the ends become PARTIAL.
   */
  mapNew(
    owner: PieceOwner,
    place: { lext: number; phys: number; count: number },
    range: { from: number; to: number },
    options: { isSafe: boolean; isMapped: boolean },
  ): void {
    const { lext, phys, count } = place;
    this.#begin(owner, lext, count);
    this.#phys = phys;
    this.#count = count;
    this.#isNew = true;
    if (!options.isMapped) this.#mapping = count;
    this.#core.mappingExtents += this.#mapping;
    this.#userFrom = range.from;
    this.#userTo = range.to;
    if (options.isSafe) {
      this.#writeFrom = range.from;
      this.#writeTo = range.to;
      this.#addMap(lext, phys, count, true);
    } else {
      this.#roundOut();
      this.#addRunRecords(lext);
    }
    this.#readRest();
  }

  /** The extent `phys` of a shared plain entry stays as the base of a PARTIAL one over the new extent. */
  overlay(
    owner: PieceOwner,
    place: { lext: number; phys: number },
    range: { from: number; to: number },
    old: OldEntry,
  ): void {
    this.#beginSingle(owner, place, range, old);
    this.#isNew = true;
    this.#roundOut();
    const mask = touchedBlocks(this.#core.engine.geometry, range.from, range.to);
    this.#addEntry(place.lext, place.phys, mask, old.phys);
    this.#readRest();
  }

  /** A PARTIAL entry that nobody shares gets more blocks; with the last one it becomes plain. */
  grow(owner: PieceOwner, lext: number, range: { from: number; to: number }, old: OldEntry): void {
    const { geometry } = this.#core.engine;
    this.#beginSingle(owner, { lext, phys: old.phys }, range, old);
    this.#roundOut();
    // A block that is there already is written in place, by others too: only the user's bytes of it are ours.
    if (hasBlockAt(geometry, old.mask, range.from)) this.#writeFrom = range.from;
    if (hasBlockAt(geometry, old.mask, range.to - 1)) this.#writeTo = range.to;
    const mask = joinMasks(old.mask, touchedBlocks(geometry, range.from, range.to));
    this.#addEntry(lext, old.phys, mask, old.base);
    this.#readRest();
  }

  /** A PARTIAL entry that is shared: all its blocks go to a new extent (rule P). */
  merge(
    owner: PieceOwner,
    place: { lext: number; phys: number },
    range: { from: number; to: number },
    old: OldEntry,
  ): void {
    this.#beginSingle(owner, place, range, old);
    this.#isNew = true;
    this.#writeFrom = 0;
    this.#writeTo = this.#core.engine.geometry.extentBytes;
    this.#addMap(place.lext, place.phys, 1, false);
    this.#readRest();
  }

  unmap(owner: PieceOwner, lext: number, count: number): void {
    this.#begin(owner, lext, count);
    this.#records.push({ kind: "unmap", volume: this.#core.state.attributes.id, lext, run: count });
    this.#append();
  }

  operationDone(error: IoError | null): void {
    this.#inFlight -= 1;
    if (this.#withdrawal !== null) {
      this.#withdraw(error ?? this.#withdrawal);
      return;
    }
    this.#error ??= error;
    if (this.#inFlight > 0) return;
    // A read can take long: a pool that has stopped meanwhile may be another host's.
    if (this.#isReading) this.#error ??= this.#core.engine.health.failure;
    if (this.#error !== null) {
      // Nothing refers to them yet: the old content stays.
      if (this.#isNew) this.#core.engine.state.space.giveBack(this.#phys, this.#count);
      this.#finish(this.#error);
    } else if (this.#isReading) {
      this.#isReading = false;
      this.#write();
    } else this.#append();
  }

  appended(): void {
    this.#finish(null);
  }

  /** The pool has stopped. Nobody can say whether the record will be found, so what it names is not given back. */
  appendFailed(error: IoError): void {
    this.#finish(error);
  }

  withdrawn(error: IoError): void {
    const owner = this.#owner;
    assert(owner !== null, "a record that waits has an owner");
    const room = owner.recall(this.#userTo - this.#userFrom);
    if (room === null) {
      this.#withdraw(error);
      return;
    }
    const { addresses } = this.#core.engine.state;
    const operation = this.#core.operations.take(this);
    operation.kind = IoKind.read;
    operation.offsetBytes = addresses.offsetOf(this.#phys) + this.#userFrom;
    operation.buffers.push(room);
    this.#withdrawal = error;
    this.#inFlight = 1;
    operation.run(addresses.deviceOf(this.#phys), this.#phys, this.#count);
  }

  #withdraw(error: IoError): void {
    this.#withdrawal = null;
    if (this.#isNew) this.#core.engine.state.space.giveBack(this.#phys, this.#count);
    this.#finish(error);
  }

  #begin(owner: PieceOwner, lext: number, count: number): void {
    assert(this.#owner === null, "a piece is one change at a time");
    this.#owner = owner;
    this.#core.locks.lock(this, lext, lext + count);
    this.#core.engine.state.space.changes += 1;
    this.#leafIndex = Math.floor(lext / LEAF_ENTRIES);
    this.#core.state.map.pinSlot(this.#leafIndex);
    this.#old = NOTHING;
    this.#isNew = false;
    this.#mapping = 0;
    this.#error = null;
    this.#inFlight = 0;
    while (this.#records.length > 0) this.#records.pop();
  }

  #beginSingle(
    owner: PieceOwner,
    place: { lext: number; phys: number },
    range: { from: number; to: number },
    old: OldEntry,
  ): void {
    this.#begin(owner, place.lext, 1);
    this.#phys = place.phys;
    this.#count = 1;
    this.#userFrom = range.from;
    this.#userTo = range.to;
    this.#old = old;
    const { space } = this.#core.engine.state;
    space.pin(old.phys);
    if (old.base !== NO_EXTENT) space.pin(old.base);
  }

  /** Only whole blocks are written. */
  #roundOut(): void {
    const { maskBlockBytes } = this.#core.engine.geometry;
    this.#writeFrom = Math.floor(this.#userFrom / maskBlockBytes) * maskBlockBytes;
    this.#writeTo = Math.ceil(this.#userTo / maskBlockBytes) * maskBlockBytes;
  }

  /** The records of a run that is not safe: an end of which not all blocks are written is PARTIAL over nothing. */
  #addRunRecords(lext: number): void {
    const { geometry } = this.#core.engine;
    const { extentBytes, fullMask } = geometry;
    const last = this.#count - 1;
    const lastTo = this.#userTo - last * extentBytes;
    const firstTo = last === 0 ? lastTo : extentBytes;
    const firstMask = touchedBlocks(geometry, this.#userFrom, firstTo);
    const lastMask = last === 0 ? firstMask : touchedBlocks(geometry, 0, lastTo);
    const plainFrom = firstMask === fullMask ? 0 : 1;
    const plainTo = lastMask === fullMask ? last + 1 : last;
    if (plainFrom === 1) this.#addEntry(lext, this.#phys, firstMask, NO_EXTENT);
    if (plainTo > plainFrom) {
      this.#addMap(lext + plainFrom, this.#phys + plainFrom, plainTo - plainFrom, false);
    }
    if (plainTo === last && last > 0) {
      this.#addEntry(lext + last, this.#phys + last, lastMask, NO_EXTENT);
    }
  }

  #addEntry(lext: number, phys: number, mask: number, base: number): void {
    if (hasBlocks(mask, this.#core.engine.geometry.fullMask)) {
      this.#addMap(lext, phys, 1, false);
      return;
    }
    // A run has one at either end.
    const record = this.#records.length === 0 ? this.#partial : { ...this.#partial };
    record.lext = lext;
    record.phys = phys;
    record.mask = mask;
    record.base = base;
    this.#records.push(record);
  }

  #addMap(lext: number, phys: number, run: number, safe: boolean): void {
    const record = this.#map;
    record.lext = lext;
    record.phys = phys;
    record.run = run;
    record.safe = safe;
    this.#records.push(record);
  }

  /** Reads what surrounds the user's bytes in the blocks that are written; aligned requests have nothing of it. */
  #readRest(): void {
    if (this.#writeFrom === this.#userFrom && this.#writeTo === this.#userTo) {
      this.#isReading = false;
      this.#write();
      return;
    }
    this.#isReading = true;
    // One more, so that what is done at once does not end it before all has begun.
    this.#inFlight = 1;
    this.#head = scratch(this.#userFrom - this.#writeFrom);
    this.#tail = scratch(this.#writeTo - this.#userTo);
    this.#readOld(this.#head, this.#writeFrom, this.#userFrom);
    this.#readOld(this.#tail, this.#userTo, this.#writeTo);
    this.operationDone(null);
  }

  #readOld(into: Buffer, from: number, to: number): void {
    const { geometry, state } = this.#core.engine;
    const { phys, mask, base } = this.#old;
    for (let at = from; at < to;) {
      const isNothing = phys === NO_EXTENT;
      const end = isNothing ? to : runEnd(geometry, mask, at, to);
      const source = !isNothing && hasBlockAt(geometry, mask, at) ? phys : base;
      const view = into.subarray(at - from, end - from);
      if (source === NO_EXTENT) view.fill(0);
      else {
        const operation = this.#core.operations.take(this);
        operation.kind = IoKind.read;
        operation.offsetBytes = state.addresses.offsetOf(source) + at;
        operation.buffers.push(view);
        this.#inFlight += 1;
        operation.run(state.addresses.deviceOf(source), source, 1);
      }
      at = end;
    }
  }

  #write(): void {
    const owner = this.#owner;
    assert(owner !== null, "a piece that runs has an owner");
    const { engine, operations } = this.#core;
    const { addresses } = engine.state;
    const device = addresses.deviceOf(this.#phys);
    const deviceOffset = addresses.offsetOf(this.#phys) + this.#writeFrom;
    const offset = this.lockFirst * engine.geometry.extentBytes + this.#userFrom;
    const lengthBytes = this.#writeTo - this.#writeFrom;
    const { whole } = owner;
    const isAligned = this.#head.length === 0 && this.#tail.length === 0;
    if (whole !== null && isAligned && lengthBytes <= TURN_BYTES_MAX) {
      // Most often, and without a view, which would cost as much as the entry of the map.
      if (device.tryWrite(whole, owner.wholeOffset, lengthBytes, deviceOffset)) {
        this.#append();
        return;
      }
    }
    const buffers = this.#buffers;
    if (this.#head.length > 0) buffers.push(this.#head);
    owner.addData(offset, this.#userTo - this.#userFrom, buffers);
    if (this.#tail.length > 0) buffers.push(this.#tail);
    if (buffers.length > 1 && lengthBytes <= TURN_BYTES_MAX) {
      // Whole blocks in one call: a device may have to read before it writes a part of one.
      const joined = Buffer.concat(buffers, lengthBytes);
      buffers.length = 0;
      buffers.push(joined);
    }
    const only = buffers[0];
    assert(only !== undefined, "a change of data writes some");
    const isInTurn = whole === null && buffers.length === 1 && lengthBytes <= TURN_BYTES_MAX;
    if (isInTurn && device.tryWrite(only, 0, lengthBytes, deviceOffset)) {
      // Nothing has to be kept for what is done already. A length of 0 would throw away the array's memory.
      buffers.pop();
      this.#append();
      return;
    }
    const operation = operations.take(this);
    operation.kind = IoKind.write;
    operation.offsetBytes = deviceOffset;
    for (const buffer of buffers) operation.buffers.push(owner.kept(buffer));
    buffers.length = 0;
    this.#inFlight = 1;
    operation.runLater(device, this.#phys, this.#count);
  }

  #append(): void {
    const { journal } = this.#core.engine;
    const record = this.#records[0];
    assert(record !== undefined, "a change has a record");
    if (this.#records.length === 1) journal.append(record, this);
    else journal.appendTogether(this.#records, this);
  }

  #finish(error: IoError | null): void {
    const core = this.#core;
    const owner = this.#owner;
    assert(owner !== null, "a piece ends once");
    this.#owner = null;
    const { space } = core.engine.state;
    const { phys, base } = this.#old;
    this.#head = NO_BYTES;
    this.#tail = NO_BYTES;
    core.mappingExtents -= this.#mapping;
    space.changes -= 1;
    core.state.map.unpinSlot(this.#leafIndex);
    if (phys !== NO_EXTENT) space.unpin(phys);
    if (base !== NO_EXTENT) space.unpin(base);
    const isMapping = this.#mapping > 0;
    core.locks.unlock(this);
    owner.pieceDone(this, error);
    if (isMapping) core.mappingEnded();
    // What it kept for its maps is there for others.
    const { fullPolicy } = core.engine;
    if (fullPolicy.waiters > 0) fullPolicy.freed();
  }
}

/** Where aligned requests, which need none, take no memory. */
function scratch(lengthBytes: number): Buffer {
  return lengthBytes === 0 ? NO_BYTES : Buffer.allocUnsafe(lengthBytes);
}
