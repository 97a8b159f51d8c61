import type { AlignedBufferPool } from "../../../native-free/aligned-buffer.ts";
import { assert } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";
import { IoError } from "../../util/io-error.ts";
import { flush } from "../../util/io-request.ts";
import type { Log } from "../../util/log.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { Barrier } from "../log/barrier.ts";
import type { Health } from "../log/health.ts";
import type { CheckpointWanted, Journal } from "../log/journal.ts";
import { syncBarrier } from "../log/promises.ts";
import { type Storage, withRoom } from "../log/storage.ts";
import type { PoolState } from "../map/pool-state.ts";
import { captureImage, type Image } from "./image.ts";
import { metadataReserve } from "./metadata-reserve.ts";
import { PagePlaces } from "./page-place.ts";
import { newRunBuffers, PageWriter } from "./page-writer.ts";
import { nextRootBlock } from "./root-place.ts";
import type { SuperblockStore } from "./superblock-store.ts";
import { TreeWriter, type WrittenTop } from "./tree-writer.ts";

export interface CheckpointerOptions {
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly health: Health;
  readonly superblocks: SuperblockStore;
  readonly poolUuid: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where a checkpoint waits for which it has no room. */
  readonly storage?: Storage;
  /** Of the checkpoint that the pool was opened from, and the number that the next one gets. */
  readonly generation: number;
  readonly nextGeneration: number;
  readonly checkpointSeq: number;
  /** Its root page's place, that of the one before which recovery may fall back to (0: there is none), and its volumes pages and directories. */
  readonly rootBlock: number;
  readonly rootBlockBefore: number;
  readonly topPages: readonly PagePointer[];
}

/** Why a checkpoint is made, for the log. */
export type CheckpointReason =
  "journal" | "dirty" | "idle" | "asked" | "growth" | "recovery" | "close";

/**
 * Writes the maps to new places and makes them the truth (rule C): pages, a flush of all devices, the superblock, a flush of its
 * device; only then are the journal and the old places free. One checkpoint runs; whoever asks meanwhile shares the next one.
 */
export class Checkpointer implements CheckpointWanted {
  readonly #options: CheckpointerOptions;
  readonly #places: PagePlaces;
  #buffers: AlignedBufferPool | null = null;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #nextReason: CheckpointReason = "asked";
  #generation: number;
  #nextGeneration: number;
  #checkpointSeq: number;
  #topPages: readonly PagePointer[];
  #rootBlock: number;
  #rootBlockBefore: number;
  /** Checkpoints that it has made. */
  #made = 0;
  #isClosed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#places = new PagePlaces(options.state.addresses, options.state.geometry);
    this.#generation = options.generation;
    this.#nextGeneration = options.nextGeneration;
    this.#checkpointSeq = options.checkpointSeq;
    this.#topPages = options.topPages;
    this.#rootBlock = options.rootBlock;
    this.#rootBlockBefore = options.rootBlockBefore;
  }

  /** Of the last checkpoint that is durable. */
  get generation(): number {
    return this.#generation;
  }

  /** The last block of the journal that it includes. */
  get checkpointSeq(): number {
    return this.#checkpointSeq;
  }

  /** Checkpoints of this opening; each has flushed the head once besides its barriers. */
  get made(): number {
    return this.#made;
  }

  /** Recovery can fall back to the one before the last (rule L): not past the first of an opening, which begins an epoch. */
  get hasWayBack(): boolean {
    return this.#made > 1;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Makes a checkpoint that includes all that has taken effect by now. @throws {IoError} failed */
  run(reason: CheckpointReason): Promise<void> {
    if (this.#running === null && this.#next === null) return this.#start(reason);
    this.#nextReason = this.#isClosed ? "close" : reason;
    this.#next ??= this.#startNext();
    return this.#next;
  }

  /** The journal or the memory for dirty pages is used up: begins a checkpoint unless one runs. */
  wanted(): void {
    if (this.#isClosed || this.#options.health.failure !== null) return;
    // One that is to come begins within this turn.
    if (this.#running !== null || this.#next !== null) return;
    // It reports its failure to the pool's health, where everybody hears of it.
    this.#start("journal").catch(() => undefined);
  }

  /** The last checkpoint of an orderly end: clean, and without an owner. Nothing may be appended any more. @throws {IoError} failed */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.run("close");
  }

  /** Resolves when none runs, whether it succeeded or not. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running.catch(() => undefined);
  }

  /** Between the end of the one that runs and its own start nobody else begins one: `#next` says that it is taken. */
  async #startNext(): Promise<void> {
    await this.idle();
    this.#next = null;
    await this.#start(this.#nextReason);
  }

  #start(reason: CheckpointReason): Promise<void> {
    assert(this.#running === null, "one checkpoint runs at a time");
    const running = this.#attempt(reason).finally(() => {
      this.#running = null;
      // One checkpoint frees what the journal held before the one before it: that may not be enough.
      if (this.#next === null && this.#options.journal.isStalled) this.wanted();
    });
    this.#running = running;
    return running;
  }

  async #attempt(reason: CheckpointReason): Promise<void> {
    const { health } = this.#options;
    this.#checkHealth();
    try {
      await this.#make(reason);
    } catch (error) {
      const message = "a checkpoint could not be written";
      health.fail(new IoError("failed", message, { object: health.poolName, cause: error }));
    }
    // Also where it went well for itself: what failed meanwhile has stopped the pool.
    this.#checkHealth();
  }

  async #make(reason: CheckpointReason): Promise<void> {
    const { state, journal, barrier, poolUuid, clock, log, storage } = this.#options;
    assert(reason !== "close" || journal.isIdle, "nothing is appended to a pool that closes");
    const startedAt = clock.nowMs();
    // What the last checkpoint of all includes must be the end of the journal: a barrier behind it would be left to replay.
    if (reason === "close") await syncBarrier(barrier);
    const generation = this.#nextGeneration;
    this.#nextGeneration += 1;
    const image = captureImage(state, generation, journal.appliedSeq);
    this.#buffers ??= newRunBuffers();
    const writer = new PageWriter({
      places: this.#places,
      allocator: state.space,
      poolUuid,
      generation,
      buffers: this.#buffers,
      failure: () => this.#options.health.failure,
      ...(storage !== undefined && { storage }),
    });
    const rootBlock = nextRootBlock(this.#rootBlock, this.#rootBlockBefore);
    const written = await new TreeWriter(writer).write(image, rootBlock);
    // It buries records of which the data are on all devices. Where this checkpoint is lost, the one before it and a power loss leave
    // only what a barrier in the journal covers (rule L).
    await syncBarrier(barrier);
    await this.#writeSuperblock(image, { generation, root: written.root, reason });
    this.#checkHealth();
    this.#publish(generation, image.checkpointSeq, written);
    const durationMs = clock.nowMs() - startedAt;
    const { checkpointSeq } = image;
    const pageCount = writer.blocks.length;
    log.debug({ reason, generation, checkpointSeq, pageCount, durationMs }, "checkpoint");
  }

  async #writeSuperblock(
    { checkpointSeq, devices, settings }: Image,
    {
      generation,
      root,
      reason,
    }: { generation: number; root: PagePointer; reason: CheckpointReason },
  ): Promise<void> {
    const { state, journal, superblocks, storage } = this.#options;
    const [head] = state.addresses.devices;
    assert(head !== undefined, "a pool has a device");
    const { epoch } = journal;
    const isClean = reason === "close";
    const poolName = settings.name;
    const change = { generation, epoch, checkpointSeq, root, devices, poolName, isClean };
    // Both copies go to the places of a generation that is not the last, each time the same: the last one stays whole.
    await withRoom(storage, () => superblocks.write(head, change, () => this.#checkHealth()));
    await flush(head);
  }

  /** A flush that failed meanwhile may have lost what this checkpoint counts on. */
  #checkHealth(): void {
    const { failure } = this.#options.health;
    if (failure !== null) throw failure;
  }

  /** The superblock is durable: what only older generations need becomes free. */
  #publish(generation: number, checkpointSeq: number, written: WrittenTop): void {
    const { state, journal, barrier } = this.#options;
    const { space } = state;
    for (const { block } of this.#topPages) space.freeMetadataBlock(block, generation - 1);
    this.#topPages = written.pages;
    this.#rootBlockBefore = this.#rootBlock;
    this.#rootBlock = written.root.block;
    // Recovery may fall back to the checkpoint before this one, and needs the journal from there.
    const tailSeq = this.#checkpointSeq;
    this.#generation = generation;
    this.#made += 1;
    this.#checkpointSeq = checkpointSeq;
    space.metadataReserveExtents = metadataReserve(state.addresses.extentCount, state.geometry);
    space.checkpointDurable(generation);
    barrier.noteDurable(checkpointSeq);
    journal.checkpointed(tailSeq);
  }
}
