import { assert } from "../../util/assert.ts";
import { type IoError, isShortage } from "../../util/io-error.ts";
import type { IoRequest } from "../../util/io-request.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import type { ChangePiece, PieceOwner } from "./change-piece.ts";
import { isGrowable, oldEntry } from "./data-plan.ts";
import { FREE_OBJECTS_MAX } from "./limits.ts";
import type { PiecePool } from "./piece-pool.ts";
import { isZero } from "./request-bytes.ts";
import type { VolumeCore } from "./volume-core.ts";

/** One of them, until its record is in the journal. */
class FirstWrite implements PieceOwner {
  readonly #path: FirstWritePath;
  #request: IoRequest | null = null;
  whole: Uint8Array | null = null;
  wholeOffset = 0;
  /** The device took them in its own time, or they were read back: the buffer was its owner's again by then. */
  #kept: Uint8Array | null = null;

  constructor(path: FirstWritePath) {
    this.#path = path;
  }

  /** `write` begins the piece, for which the bytes are there until it returns. */
  start(request: IoRequest, buffer: Uint8Array, bufferOffset: number): void {
    assert(this.#request === null, "one write at a time");
    this.#request = request;
    this.whole = buffer;
    this.wholeOffset = bufferOffset;
  }

  started(): void {
    this.whole = null;
  }

  addData(_offsetBytes: number, lengthBytes: number, views: Uint8Array[]): void {
    const { whole, wholeOffset } = this;
    assert(whole !== null, "the bytes are asked for before the call returns");
    views.push(whole.subarray(wholeOffset, wholeOffset + lengthBytes));
  }

  kept(view: Uint8Array): Uint8Array {
    this.#kept = Buffer.from(view);
    return this.#kept;
  }

  recall(lengthBytes: number): Uint8Array | null {
    if (this.#kept !== null) return null;
    this.#kept = Buffer.allocUnsafe(lengthBytes);
    return this.#kept;
  }

  pieceDone(piece: ChangePiece, error: IoError | null): void {
    const request = this.#request;
    const kept = this.#kept;
    assert(request !== null, "a write ends once");
    this.#request = null;
    this.#kept = null;
    this.#path.ended(this, piece, { request, kept, error });
  }
}

/** How a write ended. */
interface Outcome {
  readonly request: IoRequest;
  readonly kept: Uint8Array | null;
  readonly error: IoError | null;
}

/**
 * Writes to whole blocks of one extent that get these blocks just now: into a hole, into an extent that snapshots share, or into a PARTIAL one. The
 * bytes are written within the call, and only the record is waited for. Whatever else there is to wait for is for a {@link ChangeJob}.
 */
export class FirstWritePath {
  readonly #core: VolumeCore;
  readonly #pieces: PiecePool;
  /** For those that have to be done in another way after all. */
  readonly #submit: (request: IoRequest) => void;
  readonly #free: FirstWrite[] = [];

  constructor(core: VolumeCore, pieces: PiecePool, submit: (request: IoRequest) => void) {
    this.#core = core;
    this.#pieces = pieces;
    this.#submit = submit;
  }

  /**
   * False: nothing was done. Otherwise the buffer is the caller's again, and the request, of which the range is this one, is told when the write
   * counts: never within the call, but of a failure perhaps.
   */
  begin(buffer: Uint8Array, bufferOffset: number, request: IoRequest): boolean {
    const { engine, isGone, gate, state, locks } = this.#core;
    const { offsetBytes, lengthBytes } = request;
    if (gate.isClosed || isGone || engine.health.failure !== null) return false;
    // What counts towards a quota may have to wait for others.
    if (state.attributes.readOnly || state.attributes.quotaBytes > 0) return false;
    if (!this.#isWholeBlocks(offsetBytes, lengthBytes)) return false;
    const { leaves } = engine.state;
    const lext = Math.floor(offsetBytes / engine.geometry.extentBytes);
    const leaf = state.map.leafAt(lext);
    if (leaf !== NO_LEAF && !leaves.isResident(leaf)) return false;
    if (locks.isLocked(lext)) return false;
    const word = leaf === NO_LEAF ? 0 : leaves.entry(leaf, lext % LEAF_ENTRIES);
    if (word === 0) {
      if (isZero(buffer, bufferOffset, bufferOffset + lengthBytes)) return false;
      return this.#intoHole(lext, buffer, bufferOffset, request);
    }
    return this.#intoExtent(lext, leaf, { buffer, bufferOffset, request });
  }

  /** Of one extent, inside the volume. */
  #isWholeBlocks(offsetBytes: number, lengthBytes: number): boolean {
    const { extentBytes, maskBlockBytes } = this.#core.engine.geometry;
    if (offsetBytes % maskBlockBytes !== 0 || lengthBytes % maskBlockBytes !== 0) return false;
    if (lengthBytes === 0 || (offsetBytes % extentBytes) + lengthBytes > extentBytes) return false;
    return offsetBytes >= 0 && offsetBytes + lengthBytes <= this.#core.state.attributes.sizeBytes;
  }

  #intoHole(lext: number, buffer: Uint8Array, bufferOffset: number, request: IoRequest): boolean {
    const { space } = this.#core.engine.state;
    const phys = space.allocate(this.#core.state, 1);
    if (phys === NO_EXTENT) return false;
    const isSafe = space.lastIsZero;
    const from = request.offsetBytes - lext * this.#core.engine.geometry.extentBytes;
    const write = this.#enter(request, buffer, bufferOffset);
    const range = { from, to: from + request.lengthBytes };
    const place = { lext, phys, count: 1 };
    this.#pieces.take().mapNew(write, place, range, { isSafe, isMapped: false });
    write.started();
    return true;
  }

  #intoExtent(
    lext: number,
    leaf: number,
    {
      buffer,
      bufferOffset,
      request,
    }: { buffer: Uint8Array; bufferOffset: number; request: IoRequest },
  ): boolean {
    const core = this.#core;
    const { state, geometry } = core.engine;
    const { extentBytes } = geometry;
    const from = request.offsetBytes - lext * extentBytes;
    const range = { from, to: from + request.lengthBytes };
    const word = state.leaves.entry(leaf, lext % LEAF_ENTRIES);
    if (isGrowable(core, lext)) {
      const old = oldEntry(core, leaf, lext % LEAF_ENTRIES);
      const write = this.#enter(request, buffer, bufferOffset);
      this.#pieces.take().grow(write, lext, range, old);
      write.started();
      return true;
    }
    // What is the volume's own is written in place, and what is PARTIAL is read first; of a whole extent nothing old stays.
    if (isPartial(word) || request.lengthBytes === extentBytes) return false;
    if (core.isExclusive(leaf, physOf(word))) return false;
    const phys = state.space.allocate(core.state, 1);
    if (phys === NO_EXTENT) return false;
    const old = oldEntry(core, leaf, lext % LEAF_ENTRIES);
    const write = this.#enter(request, buffer, bufferOffset);
    this.#pieces.take().overlay(write, { lext, phys }, range, old);
    write.started();
    return true;
  }

  #enter(request: IoRequest, buffer: Uint8Array, bufferOffset: number): FirstWrite {
    const isIn = this.#core.gate.tryEnterChange();
    assert(isIn, "a gate that is open lets in");
    const write = this.#free.pop() ?? new FirstWrite(this);
    write.start(request, buffer, bufferOffset);
    return write;
  }

  ended(write: FirstWrite, piece: ChangePiece, { request, kept, error }: Outcome): void {
    const { engine, gate } = this.#core;
    this.#pieces.put(piece);
    if (this.#free.length < FREE_OBJECTS_MAX) this.#free.push(write);
    engine.isDirty = true;
    gate.leaveChange();
    // What was on its way when the pool stopped may be lost, or another host's by now.
    const failure = error ?? engine.health.failure;
    if (kept !== null && failure !== null && isShortage(failure)) {
      // The storage below had no room, for the bytes or for a checkpoint: that is waited for there.
      request.buffers.push(kept);
      this.#submit(request);
    } else request.done(failure);
  }
}
