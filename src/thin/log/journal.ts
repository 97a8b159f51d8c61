import { AlignedBufferPool } from "../../../native-free/aligned-buffer.ts";
import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { Histogram } from "../../util/histogram.ts";
import { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import {
  JOURNAL_BLOCK_ROOM,
  JOURNAL_HEADER_BYTES,
  sealJournalBlock,
} from "../format/journal-block.ts";
import { encodeRecord, recordBytes } from "../format/journal-record.ts";
import { isSafe, type JournalRecord } from "../format/records.ts";
import type { Health } from "./health.ts";
import { isOutOfRoom, type Storage, type StorageWaiter } from "./storage.ts";
import {
  BARRIER_BLOCKS_RESERVED,
  BLOCK_RECORDS_BOUNDS,
  HURRY_SHARE,
  PAGES_PER_GROUP_MAX,
  QUEUE_COMPACTED_AFTER,
} from "./limits.ts";

const SETTLED: Promise<void> = Promise.resolve();

/** Told when a record is in the journal and has taken effect, or that it never will. */
export interface AppendWaiter {
  appended(seq: number): void;
  appendFailed(error: IoError): void;
  /** Those who have this can be told, before their record is on its way, that it is not appended: nothing of it is in the journal. */
  withdrawn?(error: IoError): void;
}

/** What the records are about: the maps. */
export interface JournalTarget {
  /** Carries out a record, synchronously. */
  apply(record: JournalRecord, seq: number): void;
  /** Pages of maps that a checkpoint would have to write. */
  readonly dirtyPages: number;
}

/** Whoever makes room in the journal. */
export interface CheckpointWanted {
  wanted(): void;
}

export interface JournalOptions {
  /** The pool's device 0. */
  readonly device: BlockDevice;
  readonly target: JournalTarget;
  readonly health: Health;
  readonly poolUuid: string;
  /** Where the ring begins, and how many blocks it has. */
  readonly offsetBytes: number;
  readonly blocks: number;
  readonly epoch: number;
  /** The number of the last block before the first that this journal writes, and its checksum. */
  readonly seq: number;
  readonly prevCrc: number;
  /** Dirty pages of maps past which records wait for a checkpoint. */
  readonly dirtyPagesMax: number;
  readonly checkpoint: CheckpointWanted;
  /** Where a block waits that it has no room for. Without it the pool stops. */
  readonly storage?: Storage;
}

/** The write of a block: one object for all of them, since one is under way at a time. */
class BlockWrite extends IoRequest {
  readonly #end: (error: IoError | null) => void;

  constructor(block: Uint8Array, end: (error: IoError | null) => void) {
    super();
    this.kind = IoKind.write;
    this.lengthBytes = BLOCK_BYTES;
    this.buffers = [block];
    this.#end = end;
  }

  override done(error: IoError | null): void {
    this.#end(error);
  }
}

/**
 * The log of all that changes maps: a ring of blocks on device 0, each written once (rule J). One is under way at a time; what
 * is appended in one turn of the event loop, or while a block is under way, shares the next one. When a block's write has
 * returned its records take effect in their order, and then those who appended them are told, in one step (rule O).
 *
 * Records wait, in order, while the ring has no room or too many pages are dirty; a checkpoint ends that. A barrier record
 * never waits for one.
 */
export class Journal {
  readonly epoch: number;
  readonly blocks: number;
  readonly #device: BlockDevice;
  readonly #target: JournalTarget;
  readonly #health: Health;
  readonly #poolUuid: string;
  readonly #offsetBytes: number;
  readonly #dirtyPagesMax: number;
  readonly #checkpoint: CheckpointWanted;
  readonly #storage: Storage | null;
  /** Told when there may be room for the block that had none. */
  readonly #whenRoom: StorageWaiter;
  #isWaitingForRoom = false;
  readonly #block: Uint8Array;
  readonly #write: BlockWrite;
  /** How many records were in the blocks that were written. */
  readonly blockRecords: Histogram = new Histogram(BLOCK_RECORDS_BOUNDS);
  #appends = 0;

  /** What waits, from `#head` on. A group is as many records as go into one block together; its size stands at its first record. */
  readonly #records: JournalRecord[] = [];
  readonly #groupBytes: number[] = [];
  readonly #waiters: (AppendWaiter | null)[] = [];
  #head = 0;
  #barrier: JournalRecord | null = null;
  #barrierWaiter: AppendWaiter | null = null;

  /** What the block under way holds. */
  readonly #flying: JournalRecord[] = [];
  readonly #flyingWaiters: (AppendWaiter | null)[] = [];
  #isWriting = false;
  #isScheduled = false;
  /** Who is in a hurry: see {@link hurry}. */
  #hurried = 0;

  #seq: number;
  #prevCrc: number;
  #tailSeq: number;
  #appliedSeq: number;
  #unsafeSeq: number;
  #changedSeq: number;

  constructor(options: JournalOptions) {
    this.epoch = options.epoch;
    this.blocks = options.blocks;
    this.#device = options.device;
    this.#target = options.target;
    this.#health = options.health;
    this.#poolUuid = options.poolUuid;
    this.#offsetBytes = options.offsetBytes;
    this.#dirtyPagesMax = options.dirtyPagesMax;
    this.#checkpoint = options.checkpoint;
    this.#storage = options.storage ?? null;
    this.#whenRoom = {
      retry: () => this.#device.submit(this.#write),
      giveUp: (error) => this.#ended(error),
    };
    this.#seq = options.seq;
    this.#prevCrc = options.prevCrc;
    this.#tailSeq = options.seq;
    this.#appliedSeq = options.seq;
    this.#unsafeSeq = 0;
    this.#changedSeq = options.seq;
    this.#block = leaseBlock();
    this.#write = new BlockWrite(this.#block, (error) => this.#written(error));
    assert(
      options.blocks > 2 * BARRIER_BLOCKS_RESERVED,
      "a journal has room for more than barriers",
    );
    options.health.onFailure(() => this.#schedule());
  }

  /** The last block whose records have taken effect. */
  get appliedSeq(): number {
    return this.#appliedSeq;
  }

  /** The last applied block with a record that a power loss may not replay without a barrier; 0: none yet. */
  get unsafeSeq(): number {
    return this.#unsafeSeq;
  }

  /** The last applied block with anything but a barrier. */
  get changedSeq(): number {
    return this.#changedSeq;
  }

  /** Appends whose block was written or is under way, barriers not counted: each is a write, or a step of an operation. */
  get appendsTotal(): number {
    return this.#appends;
  }

  /** The checksum of the last block. */
  get prevCrc(): number {
    return this.#prevCrc;
  }

  /** Blocks that recovery might still need. */
  get blocksInUse(): number {
    return this.#seq - this.#tailSeq;
  }

  /** Records wait for a checkpoint. */
  get isStalled(): boolean {
    return this.#head < this.#records.length && !this.#isWriting && !this.#hasRoom();
  }

  /** Nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return !this.#isWriting && this.#head === this.#records.length && this.#barrier === null;
  }

  /** Logs the record; it takes effect, and the waiter is told, when its block is written. Never within this call. */
  append(record: JournalRecord, waiter: AppendWaiter): void {
    if (record.kind === "barrier") {
      assert(this.#barrier === null, "one barrier runs at a time");
      this.#barrier = record;
      this.#barrierWaiter = waiter;
    } else {
      this.#enqueue(record, recordBytes(record), waiter);
    }
    this.#schedule();
  }

  /** The same for several records that are one step: they go into one block. */
  appendTogether(records: readonly JournalRecord[], waiter: AppendWaiter): void {
    let bytes = 0;
    for (const record of records) {
      assert(record.kind !== "barrier", "a barrier is no part of a group");
      bytes += recordBytes(record);
    }
    assert(records.length > 0 && bytes <= JOURNAL_BLOCK_ROOM, "a group fits into one block");
    const last = records.length - 1;
    for (const [index, record] of records.entries()) {
      this.#enqueue(record, index === 0 ? bytes : 0, index === last ? waiter : null);
    }
    this.#schedule();
  }

  /**
   * Where records have to wait, for a checkpoint or for the storage below: takes out those that need not stay, and tells who appended them.
   */
  withdraw(error: IoError): void {
    if (!this.isStalled && !this.#isWaitingForRoom) return;
    const withdrawn: AppendWaiter[] = [];
    let kept = this.#head;
    for (let first = this.#head; first < this.#records.length;) {
      let end = first + 1;
      while (this.#groupBytes[end] === 0) end += 1;
      const waiter = this.#waiters[end - 1] ?? null;
      if (waiter?.withdrawn === undefined) {
        this.#records.copyWithin(kept, first, end);
        this.#groupBytes.copyWithin(kept, first, end);
        this.#waiters.copyWithin(kept, first, end);
        kept += end - first;
      } else withdrawn.push(waiter);
      first = end;
    }
    this.#records.length = kept;
    this.#groupBytes.length = kept;
    this.#waiters.length = kept;
    this.#compact();
    for (const waiter of withdrawn) waiter.withdrawn?.(error);
  }

  /**
   * Somebody waits until what is under way has ended, an operation on a volume for its writes: records that wait for a checkpoint go
   * on into what is kept for this, as far as it lasts. Returns the function that ends it.
   */
  hurry(): () => void {
    this.#hurried += 1;
    this.#schedule();
    return () => {
      this.#hurried -= 1;
    };
  }

  /** A checkpoint is durable: blocks up to `tailSeq` are needed no more. */
  checkpointed(tailSeq: number): void {
    assert(tailSeq >= this.#tailSeq && tailSeq <= this.#appliedSeq, "the journal's tail moves on");
    this.#tailSeq = tailSeq;
    this.#schedule();
  }

  #enqueue(record: JournalRecord, groupBytes: number, waiter: AppendWaiter | null): void {
    this.#records.push(record);
    this.#groupBytes.push(groupBytes);
    this.#waiters.push(waiter);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    // Half of what queueMicrotask of Node.js costs, which makes an asynchronous resource of each: a first write alone waits for this.
    void SETTLED.then(this.#pump);
  }

  readonly #pump = (): void => {
    this.#isScheduled = false;
    if (this.#isWriting) return;
    if (this.#health.failure !== null) {
      this.#failAll(this.#health.failure);
      return;
    }
    let end = this.#takeBarrier(JOURNAL_HEADER_BYTES);
    if (this.#head < this.#records.length) {
      if (this.#hasRoom()) end = this.#takeRecords(end);
      else this.#checkpoint.wanted();
    }
    if (this.#flying.length > 0) this.#writeBlock(end - JOURNAL_HEADER_BYTES);
  };

  #hasRoom(): boolean {
    const kept = this.#hurried > 0 ? 0 : Math.floor(this.blocks * HURRY_SHARE);
    const blocksMax = this.blocks - BARRIER_BLOCKS_RESERVED - kept;
    return this.#seq + 1 - this.#tailSeq <= blocksMax && this.#pagesLeft > 0;
  }

  /** Pages that records may make dirty before they wait. */
  get #pagesLeft(): number {
    const kept = this.#hurried > 0 ? 0 : Math.floor(this.#dirtyPagesMax * HURRY_SHARE);
    return this.#dirtyPagesMax - kept - this.#target.dirtyPages;
  }

  #takeBarrier(end: number): number {
    if (this.#barrier === null) return end;
    const next = encodeRecord(this.#barrier, this.#block, end);
    this.#flying.push(this.#barrier);
    this.#flyingWaiters.push(this.#barrierWaiter);
    this.#barrier = null;
    this.#barrierWaiter = null;
    return next;
  }

  /** Moves as many groups as fit from the queue into the block; returns where they end. */
  #takeRecords(start: number): number {
    let end = start;
    const limit = JOURNAL_HEADER_BYTES + JOURNAL_BLOCK_ROOM;
    // The last one may go past what checkpoints have room for, and no more than that one.
    let pagesLeft = this.#pagesLeft;
    while (this.#head < this.#records.length) {
      const groupBytes = this.#groupBytes[this.#head] ?? 0;
      if (groupBytes > 0 && (end + groupBytes > limit || pagesLeft <= 0)) break;
      if (groupBytes > 0) {
        pagesLeft -= PAGES_PER_GROUP_MAX;
        this.#appends += 1;
      }
      const record = this.#records[this.#head];
      assert(record !== undefined, "what waits is a record");
      end = encodeRecord(record, this.#block, end);
      this.#flying.push(record);
      this.#flyingWaiters.push(this.#waiters[this.#head] ?? null);
      this.#head += 1;
    }
    this.#compact();
    return end;
  }

  #compact(): void {
    if (this.#head === this.#records.length) {
      empty(this.#records);
      empty(this.#groupBytes);
      empty(this.#waiters);
    } else if (this.#head >= QUEUE_COMPACTED_AFTER) {
      this.#records.splice(0, this.#head);
      this.#groupBytes.splice(0, this.#head);
      this.#waiters.splice(0, this.#head);
    } else return;
    this.#head = 0;
  }

  #writeBlock(bytes: number): void {
    this.#isWriting = true;
    this.blockRecords.record(this.#flying.length);
    this.#seq += 1;
    assert(this.#seq - this.#tailSeq <= this.blocks, "no block is written that recovery needs");
    this.#prevCrc = sealJournalBlock(this.#block, {
      poolUuid: this.#poolUuid,
      epoch: this.epoch,
      seq: this.#seq,
      prevCrc: this.#prevCrc,
      records: this.#flying.length,
      bytes,
    });
    const offsetBytes = this.#offsetBytes + (this.#seq % this.blocks) * BLOCK_BYTES;
    if (this.#device.tryWrite(this.#block, 0, BLOCK_BYTES, offsetBytes)) {
      this.#written(null);
      return;
    }
    this.#write.offsetBytes = offsetBytes;
    this.#device.submit(this.#write);
  }

  /** A block that found no room is in nobody's way, and none that comes later is on its way: it is written again as it is (rule J). */
  #written(error: IoError | null): void {
    const isToCome = this.#storage !== null && isOutOfRoom(error) && this.#health.failure === null;
    if (isToCome) {
      this.#isWaitingForRoom = true;
      this.#storage.wait(this.#whenRoom);
    } else this.#ended(error);
  }

  #ended(error: IoError | null): void {
    if (this.#isWaitingForRoom) {
      this.#isWaitingForRoom = false;
      if (error === null) this.#storage?.passed();
    }
    if (error !== null) {
      const context = { object: this.#health.poolName, cause: error };
      this.#health.fail(new IoError("failed", "the journal could not be written", context));
    }
    const failure = this.#health.failure;
    if (failure === null) {
      this.#applyFlying();
    } else {
      this.#isWriting = false;
      this.#failAll(failure);
    }
  }

  /** One step: nothing else runs between the first record's effect and the last waiter (rule O). */
  #applyFlying(): void {
    const seq = this.#seq;
    for (const record of this.#flying) {
      if (record.kind === "barrier") continue;
      this.#target.apply(record, seq);
      this.#changedSeq = seq;
      if (!isSafe(record)) this.#unsafeSeq = seq;
    }
    this.#appliedSeq = seq;
    // Those who are told may append again: that goes to the queue, while `#isWriting` holds the next block back.
    for (const waiter of this.#flyingWaiters) waiter?.appended(seq);
    empty(this.#flying);
    empty(this.#flyingWaiters);
    this.#isWriting = false;
    if (this.#head < this.#records.length || this.#barrier !== null) this.#schedule();
  }

  #failAll(failure: IoError): void {
    const waiters = [
      ...this.#flyingWaiters,
      this.#barrierWaiter,
      ...this.#waiters.slice(this.#head),
    ];
    this.#flying.length = 0;
    this.#flyingWaiters.length = 0;
    this.#barrier = null;
    this.#barrierWaiter = null;
    this.#head = this.#records.length;
    this.#compact();
    for (const waiter of waiters) waiter?.appendFailed(failure);
  }
}

/** To set the length to 0 would throw away the array's memory. */
function empty(array: unknown[]): void {
  while (array.length > 0) array.pop();
}

/** On a page of its own: a device that bypasses the page cache needs that. */
function leaseBlock(): Uint8Array {
  const block = new AlignedBufferPool(BLOCK_BYTES, 1).lease();
  assert(block !== null, "a new pool has its buffer");
  // Not as a Buffer, whose fill goes a long way.
  return new Uint8Array(block.buffer, block.byteOffset, block.length);
}
