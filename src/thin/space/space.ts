import { assert } from "../../util/assert.ts";
import type { Clock, Timer } from "../../util/clock.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { DEPTH_MAX } from "../format/layout.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { LeafStore } from "../map/leaf-store.ts";
import type { VolumeState } from "../map/volume-state.ts";
import { PoolError } from "../pool-error.ts";
import type { AddressSpace } from "./address-space.ts";
import { Allocator } from "./allocator.ts";
import { LeafReaper } from "./leaf-reaper.ts";
import { MetadataSpace } from "./metadata-space.ts";
import { Pins } from "./pins.ts";
import { Quarantine } from "./quarantine.ts";
import type { ExtentState } from "./reference-counts.ts";
import { ReferenceCounts } from "./reference-counts.ts";
import { Reservations } from "./reservations.ts";
import { VIRGIN_AHEAD_EXTENTS, VirginMarks } from "./virgin-marks.ts";

/** Metadata extents are taken in runs of this many, so that a checkpoint is written in long pieces. */
const METADATA_RUN_EXTENTS = 8;

/** What one change of a map makes dirty at the most: a leaf with its side pages, and a node of each level. */
const PAGES_PER_CHANGE: number = 3 + DEPTH_MAX;

/** What one turn of the event loop releases: so much time, which others do not feel, and no more entries than this. */
const RELEASE_SLICE_MS = 0.5;
const RELEASE_SLICE_ENTRIES = 128_000;
/** Entries between two looks at the clock, a tenth of that time where it is short: so many in any case. */
const RELEASE_LOOK_ENTRIES = 8192;
/** A power of two, and many times the commands in flight: hardly an extent is taken for one that is in use. */
const PIN_FILTER_BYTES = 4096;
/** What the drop of a leaf counts in a slice besides its entries. */
const LEAF_DROP_ENTRIES = 4;
/** And the release of a metadata block. */
const BLOCK_RELEASE_ENTRIES = 8;

/** A change of the space that counts when its record is durable: a segment that is new, or a virgin mark. */
interface Pending {
  readonly seq: number;
  readonly segment: number;
  readonly from: number;
  readonly isNew: boolean;
}

/** All extents of the pool: who refers to them, which are free, and when a freed one may be used again (rules Q, V, Z, G). */
export class Space {
  /** Until `deriveSpace` is done nothing is counted, and nothing is free. */
  isDeriving = true;
  /** Extents that data may not take: a checkpoint must always find its places. 0, as before the end of a recovery: none are kept. */
  metadataReserveExtents = 0;
  /** The newest generation whose maps were captured: the last one that may refer to a place of now. */
  generation = 0;
  /** Changes of maps that have been decided upon and have not taken effect: each may need pages of its own. */
  changes = 0;
  /** Pages above the maps that checkpoints need. */
  topPages: () => number = () => 0;
  /** Called when a virgin mark should move on, for few extents are left to hand out: once, until there are enough again. */
  virginDue: () => void = () => undefined;
  readonly reservations: Reservations = new Reservations();
  readonly marks: VirginMarks;
  readonly metadata: MetadataSpace;
  readonly #addresses: AddressSpace;
  readonly #clock: Clock;
  readonly #leaves: LeafStore;
  readonly #counts: ReferenceCounts;
  readonly #allocator: Allocator;
  readonly #quarantine = new Quarantine();
  readonly #pins = new Pins();
  /** References that durable records took away while I/O ran on the extent; the same for leaves. */
  readonly #waitingExtents = new Pins();
  readonly #waitingLeaves = new Pins();
  /** Extents that were given back while I/O ran on them. */
  readonly #givenBack = new Set<number>();
  readonly #reaper: LeafReaper;
  /** A filter of what is pinned, for leaves that are taken apart. */
  readonly #pinned = new Uint8Array(PIN_FILTER_BYTES);
  readonly #pending: Pending[] = [];
  readonly #listeners = new Set<() => void>();
  #durableSeq = 0;
  #punching = 0;
  #freedSinceNotice = false;
  #isVirginDue = false;
  #timer: Timer | null = null;
  #idleWaiters: (() => void)[] = [];

  constructor(addresses: AddressSpace, leaves: LeafStore, clock: Clock) {
    this.#addresses = addresses;
    this.#leaves = leaves;
    this.#clock = clock;
    this.#counts = new ReferenceCounts(addresses.extentCount);
    this.#allocator = new Allocator(addresses);
    this.marks = new VirginMarks(addresses);
    this.metadata = new MetadataSpace(addresses.geometry.blocksPerExtent, {
      take: () => this.#takeForMetadata(),
      adopt: (phys) => this.#adoptForMetadata(phys),
      giveBack: (phys) => this.#freeMetadataExtent(phys),
    });
    this.#reaper = new LeafReaper(leaves, {
      drop: (phys) => this.#dropNow(phys),
      dropAll: (entries, start) => this.#dropEntries(entries, start),
      retire: (pointer) => this.retire(pointer, this.generation),
      changed: () => this.#work(),
    });
    leaves.onUnpinned = (leaf) => this.#leafUnpinned(leaf);
    leaves.retire = (pointer, isCurrent) =>
      this.retire(pointer, isCurrent ? this.generation : this.generation - 1);
  }

  get lastRun(): number {
    return this.#allocator.lastRun;
  }

  get lastIsZero(): boolean {
    return this.#allocator.lastIsZero;
  }

  /** Extents that are free, those past the virgin marks included. */
  get freeExtents(): number {
    return this.#allocator.freeExtents + this.marks.virginExtents;
  }

  /** Free extents that can be handed out now: those past the durable virgin marks have to wait. */
  get allocatableExtents(): number {
    return this.#allocator.freeExtents;
  }

  /**
   * Of those, what may be handed out for anything but metadata: a checkpoint takes its places now, and cannot wait for a mark, a discard or
   * a barrier.
   */
  get #spareExtents(): number {
    return this.#allocator.freeExtents - this.metadataReserveExtents - this.#extentsToCome;
  }

  /** Extents that the next checkpoint takes for pages that have changed, and those that are about to. */
  get #extentsToCome(): number {
    if (this.metadataReserveExtents === 0) return 0;
    const changes = (this.changes + 1) * PAGES_PER_CHANGE;
    const pages = this.#leaves.dirtyPages + this.#leaves.dirtyNodes + this.topPages() + changes;
    const { blocksPerExtent } = this.#addresses.geometry;
    return Math.max(0, Math.ceil((pages - this.metadata.freeBlocks) / blocksPerExtent));
  }

  /** So little is left for metadata that maps must not become larger, whatever it is for. */
  get isMetadataShort(): boolean {
    // Those past the virgin marks come within moments: the marks move on before the reserve is touched.
    const left = this.#spareExtents + this.marks.virginExtents;
    return left < -this.metadataReserveExtents / 2;
  }

  get usableExtents(): number {
    const kept = this.metadataReserveExtents + this.reservations.outstandingExtents;
    return Math.max(0, this.freeExtents - kept - this.#extentsToCome);
  }

  /** References of extents that wait for their record or for I/O: what a later release may free at most. */
  get quarantinedExtents(): number {
    return this.#quarantine.extents + this.#waitingExtents.size;
  }

  get metadataExtents(): number {
    return this.metadata.extentCount;
  }

  get punchingExtents(): number {
    return this.#punching;
  }

  /** Extents of data: mapped, in quarantine, or on their way into a map. */
  get dataExtents(): number {
    return this.totalExtents - this.freeExtents - this.metadataExtents - this.#punching;
  }

  /** Extents of all segments that are durable. */
  get totalExtents(): number {
    const { announced } = this.marks;
    const { segments } = this.#addresses;
    return announced === segments.length
      ? this.#addresses.extentCount
      : this.#addresses.firstOf(announced);
  }

  get reservedOutstandingExtents(): number {
    return this.reservations.outstandingExtents;
  }

  /** Memory for counts and bitmaps, in bytes. */
  get memoryBytes(): number {
    return this.#counts.bytes + this.#allocator.bytes + this.#quarantine.bytes;
  }

  references(phys: number): number {
    return this.#counts.references(phys);
  }

  stateOf(phys: number): ExtentState {
    return this.#counts.state(phys);
  }

  isZeroKnown(phys: number): boolean {
    return this.#allocator.isZero(phys);
  }

  isAllocatable(phys: number): boolean {
    return this.#allocator.isFree(phys);
  }

  addReference(phys: number): void {
    this.#counts.add(phys);
  }

  /** The same for maps from the media: false where the extent is one of metadata. */
  countReference(phys: number): boolean {
    return this.#counts.tryAdd(phys);
  }

  /** The same for all plain entries of a leaf from `start` on; returns the index of the first that needs {@link countReference}. */
  countReferences(entries: Uint32Array, start: number, first: number, end: number): number {
    return this.#counts.addAll(entries, start, first, end);
  }

  /** A record took a reference away; it counts until the record is durable and nobody uses the extent (rule Q). */
  dropLater(phys: number, seq: number): void {
    this.#quarantine.addExtent(phys, seq);
  }

  dropLeafLater(leaf: number, seq: number): void {
    this.#quarantine.addLeaf(leaf, seq);
  }

  /** The same for the leaves of a map, of which some are none. */
  dropLeavesLater(leaves: Uint32Array, seq: number): void {
    this.#quarantine.addLeaves(leaves, seq);
  }

  /** Takes a reference of a leaf away, when nobody uses the leaf. */
  dropLeaf(leaf: number): void {
    if (this.#leaves.isPinned(leaf)) this.#waitingLeaves.add(leaf);
    else if (this.#leaves.dropReference(leaf) === 0) this.#reaper.add(leaf);
  }

  /**
   * Takes up to `runMax` consecutive extents of one segment for data of a volume; null: nobody's in particular. Returns the first, or
   * NO_EXTENT where there is none to be had now; see {@link lastRun} and {@link lastIsZero}.
   */
  allocate(volume: VolumeState | null, runMax: number): number {
    const others = this.reservations.outstandingExtents - (volume?.outstandingExtents ?? 0);
    let allowed = this.#spareExtents;
    this.#noticeVirgin(allowed);
    // What lies past the virgin marks is there for the others' reservations, and not for now.
    if (others > 0) allowed -= Math.max(0, others - this.marks.virginExtents);
    if (allowed < 1) return NO_EXTENT;
    return this.#taken(this.#allocator.take(Math.min(runMax, allowed)));
  }

  #noticeVirgin(spareExtents: number): void {
    const isDue = spareExtents < VIRGIN_AHEAD_EXTENTS;
    if (isDue === this.#isVirginDue) return;
    this.#isVirginDue = isDue;
    if (isDue) this.virginDue();
  }

  #taken(first: number): number {
    if (first === NO_EXTENT) return NO_EXTENT;
    for (let index = 0; index < this.#allocator.lastRun; index += 1) {
      this.#counts.change(first + index, "free", "data");
      assert(!this.#pins.has(first + index), "no I/O runs on an extent that is handed out");
    }
    return first;
  }

  /** Extents that were allocated and not mapped are free again. */
  giveBack(phys: number, run: number): void {
    for (let index = 0; index < run; index += 1) {
      assert(this.references(phys + index) === 0, "an extent that is given back is not mapped");
      if (this.#pins.has(phys + index)) this.#givenBack.add(phys + index);
      else this.#free(phys + index);
    }
    this.#notice();
  }

  /** I/O begins on the extent. */
  pin(phys: number): void {
    this.#pins.add(phys);
  }

  unpin(phys: number): void {
    if (this.#pins.drop(phys) > 0) return;
    if (this.#givenBack.size > 0 && this.#givenBack.delete(phys)) this.#free(phys);
    if (this.#waitingExtents.has(phys)) {
      for (let count = this.#waitingExtents.take(phys); count > 0; count -= 1) this.#drop(phys);
    }
    this.#notice();
  }

  /** Extents on which I/O runs: for checks. */
  get pinnedExtents(): number {
    return this.#pins.size;
  }

  #leafUnpinned(leaf: number): void {
    if (!this.#waitingLeaves.has(leaf)) return;
    for (let count = this.#waitingLeaves.take(leaf); count > 0; count -= 1) this.dropLeaf(leaf);
    this.#work();
  }

  /** All records up to this one are durable: what they took away is released, much of it in later turns. */
  release(durableSeq: number): void {
    this.#durableSeq = Math.max(this.#durableSeq, durableSeq);
    while (this.#pending.length > 0 && this.#pending[0]!.seq <= this.#durableSeq) {
      this.#carryOut(this.#pending.shift()!);
    }
    this.#work();
  }

  /** Resolves when nothing is left to release that is durable. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#work();
    });
  }

  /** The pool is closed: what is left to release needs no more work. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#reaper.stop();
  }

  #work(): void {
    if (this.#timer !== null) return;
    const endMs = this.#clock.nowMs() + RELEASE_SLICE_MS;
    let room = RELEASE_SLICE_ENTRIES;
    do {
      const done = this.#releaseSome(RELEASE_LOOK_ENTRIES);
      if (done === 0) break;
      room -= done;
    } while (room > 0 && this.#clock.nowMs() < endMs);
    this.#notice();
    const isDue = this.#quarantine.isDue(this.#durableSeq) || this.metadata.isDue;
    if (isDue || this.#reaper.hasWork) {
      this.#timer = this.#clock.after(0, () => {
        this.#timer = null;
        this.#work();
      });
    } else if (this.#reaper.isIdle) {
      const waiters = this.#idleWaiters;
      this.#idleWaiters = [];
      for (const waiter of waiters) waiter();
    }
  }

  /** Releases about so many entries; returns how many: 0 where nothing is left for now. */
  #releaseSome(entries: number): number {
    let done = BLOCK_RELEASE_ENTRIES * this.metadata.release(entries / BLOCK_RELEASE_ENTRIES);
    // Nothing is pinned or unpinned in this turn.
    this.#pins.markIn(this.#pinned);
    while (done < entries && this.#quarantine.isDue(this.#durableSeq)) {
      if (this.#quarantine.isLeaf) {
        this.dropLeaf(this.#quarantine.shift());
        done += LEAF_DROP_ENTRIES;
      } else {
        this.#dropNow(this.#quarantine.shift());
        done += 1;
      }
    }
    return done + this.#reaper.work(entries - done);
  }

  /** A leaf is taken apart: its plain entries lose their references in one go, those of use to somebody by themselves. */
  #dropEntries(entries: Uint32Array, start: number): number {
    const before = this.#allocator.freeExtents;
    const next = this.#counts.dropAll(entries, start, this.#allocator, this.#pinned);
    if (this.#allocator.freeExtents > before) this.#freedSinceNotice = true;
    return next;
  }

  #dropNow(phys: number): void {
    if (this.#pins.has(phys)) this.#waitingExtents.add(phys);
    else this.#drop(phys);
  }

  #drop(phys: number): void {
    if (this.#counts.drop(phys) === 0) this.#free(phys);
  }

  #free(phys: number): void {
    this.#counts.change(phys, "data", "free");
    this.#allocator.add(phys, false);
    this.#freedSinceNotice = true;
  }

  /** Calls back when extents have become free; returns what ends that. */
  onFreed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #notice(): void {
    if (!this.#freedSinceNotice) return;
    this.#freedSinceNotice = false;
    for (const listener of this.#listeners) listener();
  }

  /** A metadata block for the next checkpoint. Throws {@link PoolError} "space" where there is none. */
  takeMetadataBlock(): number {
    const block = this.metadata.take();
    if (block === 0)
      throw new PoolError("space", "the pool has no space left for its own metadata");
    return block;
  }

  /** Generations after this one do not refer to the block. */
  freeMetadataBlock(block: number, generation: number): void {
    this.metadata.free(block, generation);
  }

  retire(pointer: PagePointer, generation: number): void {
    if (pointer.block !== 0) this.metadata.free(pointer.block, generation);
  }

  /** A checkpoint has its segments: its pages go to no others. */
  checkpointCaptured(): void {
    this.#allocator.beginCheckpoint();
  }

  /** The generation's superblock is durable. */
  checkpointDurable(generation: number): void {
    this.#allocator.endCheckpoint();
    this.metadata.durable(generation);
    // Also where no extent came free: pages that were written count no more as those to come.
    this.#freedSinceNotice = true;
    this.#work();
    this.#notice();
  }

  /** At open, before the journal is replayed: a block that the checkpoint refers to; may be said again. */
  adoptMetadataBlock(block: number): void {
    this.metadata.adopt(block);
  }

  /**
   * At open, when all is counted: a block that only the checkpoint before refers to stays until the next one is durable, since recovery may
   * fall back to that (rule C). Not where data lies by now: then there is no way back to it.
   */
  keepMetadataBlock(block: number): void {
    const phys = Math.floor(block / this.#addresses.geometry.blocksPerExtent);
    const isUnused = this.#addresses.isMappable(phys, 1) && this.#counts.references(phys) === 0;
    if (!isUnused) return;
    this.metadata.adopt(block);
    this.metadata.free(block, this.generation - 1);
  }

  #takeForMetadata(): { first: number; run: number } | null {
    const first = this.#taken(this.#allocator.takeForMetadata(METADATA_RUN_EXTENTS));
    if (first === NO_EXTENT) return null;
    const run = this.#allocator.lastRun;
    for (let index = 0; index < run; index += 1) {
      this.#counts.change(first + index, "data", "metadata");
    }
    return { first, run };
  }

  #adoptForMetadata(phys: number): void {
    // Also past the virgin mark: the journal has moved that on while the checkpoint was written. See finishDeriving.
    const isThere = phys < this.#addresses.extentCount && this.#counts.state(phys) === "data";
    const isFree = isThere && this.#counts.references(phys) === 0;
    if (!isFree || !this.isDeriving) throw misplaced(phys);
    this.#counts.change(phys, "data", "metadata");
  }

  #freeMetadataExtent(phys: number): void {
    this.#counts.change(phys, "metadata", "data");
    if (!this.isDeriving) this.#free(phys);
  }

  /** A virgin mark that should move on: append a record of it. */
  nextVirgin(): { segment: number; from: number } | null {
    return this.isDeriving ? null : this.marks.next(this.#spareExtents);
  }

  /** A record with the mark was appended; it counts when it is durable, by itself. */
  virginAppended(segment: number, from: number, seq: number): void {
    this.#pending.push({ seq, segment, from, isNew: false });
  }

  virginDurable(segment: number, from: number): void {
    const step = this.marks.durable(segment, from);
    if (step === null) return;
    for (let phys = step.first; phys < step.end; phys += 1) {
      this.#counts.change(phys, "data", "free");
    }
    this.#allocator.addRange(step.first, step.end, true);
    this.#freedSinceNotice = true;
    this.#notice();
  }

  /** A segment was added to the addresses; its extents are handed out when its record is durable (rule G). */
  segmentAdded(segment: number, seq: number): void {
    this.#counts.grow(this.#addresses.extentCount);
    this.#allocator.grow();
    if (this.isDeriving) return;
    const from = this.#addresses.segments[segment]!.virginFrom;
    this.#pending.push({ seq, segment, from, isNew: true });
  }

  #carryOut({ segment, from, isNew }: Pending): void {
    if (!isNew) {
      this.virginDurable(segment, from);
      return;
    }
    const { first, end } = this.marks.announce(from);
    this.#counts.freeUnused(first, end, this.#allocator);
    this.#freedSinceNotice = true;
  }

  /** Takes free extents that are not known to be zeros, to be discarded: nobody gets them before {@link discarded}, so the reserve stays. */
  takeForDiscard(extentsMax: number): { first: number; count: number } | null {
    const spare = this.#spareExtents;
    const taken = spare < 1 ? null : this.#allocator.takeUnknown(Math.min(extentsMax, spare));
    if (taken === null) return null;
    for (let index = 0; index < taken.count; index += 1) {
      this.#counts.change(taken.first + index, "free", "punching");
    }
    this.#punching += taken.count;
    return taken;
  }

  /** The discard has ended, and where `isZero`, a flush of the device after it is complete (rule Z). */
  discarded(first: number, count: number, isZero: boolean): void {
    for (let phys = first; phys < first + count; phys += 1) {
      this.#counts.change(phys, "punching", "free");
      this.#allocator.add(phys, isZero);
    }
    this.#punching -= count;
    this.#freedSinceNotice = true;
    this.#notice();
  }

  /** Before the maps are counted anew. */
  startDeriving(): void {
    this.isDeriving = true;
    this.#counts.clear();
    this.#allocator.clear();
  }

  /**
   * All references are counted: what has none, below the virgin marks, is free and of unknown content. Throws {@link PoolError} "corrupt"
   * where metadata lies past a mark: once the journal has been replayed, it cannot.
   */
  finishDeriving(): void {
    for (const phys of this.metadata.extents()) {
      if (!this.#addresses.isMappable(phys, 1)) throw misplaced(phys);
    }
    for (let index = this.marks.announced; index < this.#addresses.segments.length; index += 1) {
      this.marks.announce(this.#addresses.segments[index]!.virginFrom);
    }
    for (const [index, { virginFrom }] of this.#addresses.segments.entries()) {
      const first = this.#addresses.firstOf(index);
      this.#counts.freeUnused(first, first + virginFrom, this.#allocator);
    }
    this.isDeriving = false;
  }

  /** What is left of references that were taken away, for audits: called with each extent or leaf. */
  forEachPendingDrop(callback: (item: number, isLeaf: boolean) => void): void {
    this.#quarantine.forEach(callback);
    for (const phys of this.#waitingExtents.keys()) {
      for (let count = this.#waitingExtents.count(phys); count > 0; count -= 1)
        callback(phys, false);
    }
    for (const leaf of this.#waitingLeaves.keys()) {
      for (let count = this.#waitingLeaves.count(leaf); count > 0; count -= 1) callback(leaf, true);
    }
  }
}

function misplaced(phys: number): PoolError {
  return new PoolError("corrupt", `metadata lies in extent ${phys}, which is not there for it`);
}
