import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { Geometry } from "../../../src/thin/format/geometry.ts";
import type { JournalRecord, VolumeAttributes } from "../../../src/thin/format/records.ts";
import type { Engine, HeldWrite } from "../../../src/thin/io/engine.ts";
import { closeAll } from "../../../src/thin/io/gate.ts";
import { ThinVolume } from "../../../src/thin/io/thin-volume.ts";
import { appendRecord, appendRecords, syncBarrier } from "../../../src/thin/log/promises.ts";
import { Barrier } from "../../../src/thin/log/barrier.ts";
import { Health } from "../../../src/thin/log/health.ts";
import { Journal } from "../../../src/thin/log/journal.ts";
import { applyRecord } from "../../../src/thin/map/apply.ts";
import type { LeafPointers } from "../../../src/thin/format/pointer.ts";
import type { LeafPages } from "../../../src/thin/map/leaf-store.ts";
import { PoolState } from "../../../src/thin/map/pool-state.ts";
import { AddressSpace } from "../../../src/thin/space/address-space.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { IoError, type IoErrorKind } from "../../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import { RandomOrder } from "../support/random-order.ts";

const MIB = 1024 * 1024;
const JOURNAL_OFFSET = 0;
const JOURNAL_BLOCKS = 256;
/** Where extents begin on each device. */
export const DATA_OFFSET: number = MIB;
/** What is in extents that are not known to be zeros. */
export const GARBAGE = 0xee;

interface Fault {
  readonly kind: IoErrorKind;
  readonly matches: (request: IoRequest) => boolean;
}

/** Counts what comes; does it at once, or later and in random order, or not at all. */
export class TestDevice extends DeviceFilter {
  /** Offset and length of each write of data, and of journal blocks. */
  readonly dataWrites: { offsetBytes: number; lengthBytes: number; isForced: boolean }[] = [];
  journalWrites = 0;
  flushes = 0;
  /** Nothing is done within the turn. */
  isSlow = false;
  readonly faults: Fault[] = [];
  readonly #random: SeededRandom | null;
  readonly #later: RandomOrder;

  /** With `random`, half of what comes is done later, in random order. */
  constructor(below: BlockDevice, random: SeededRandom | null) {
    super(below, below.name);
    this.#random = random;
    this.#later = new RandomOrder(random, 4, (request) => super.submit(request));
  }

  /** Requests are kept until `letAll`. */
  get isHolding(): boolean {
    return this.#later.isHeld;
  }

  set isHolding(isHolding: boolean) {
    this.#later.isHeld = isHolding;
  }

  get held(): IoRequest[] {
    return this.#later.waiting;
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#isPrompt()) return false;
    return super.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#isPrompt()) return false;
    this.#count(offsetBytes, lengthBytes, false);
    return super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    const { kind, offsetBytes } = request;
    const fault = this.faults.findIndex(({ matches }) => matches(request));
    if (fault >= 0) {
      const [found] = this.faults.splice(fault, 1);
      request.done(new IoError(found?.kind ?? "medium", "asked for", { object: this.name }));
      return;
    }
    if (kind === IoKind.flush) this.flushes += 1;
    if (kind === IoKind.write) {
      this.#count(offsetBytes, request.lengthBytes, request.forceUnitAccess);
    }
    if (this.#random === null && !this.isHolding) super.submit(request);
    else this.#later.add(request);
  }

  resetCounts(): void {
    this.dataWrites.length = 0;
    this.journalWrites = 0;
    this.flushes = 0;
  }

  letAll(): void {
    this.#later.doAll();
  }

  #isPrompt(): boolean {
    if (this.isHolding || this.isSlow || this.faults.length > 0) return false;
    return this.#random === null || this.#random.chance(0.5);
  }

  #count(offsetBytes: number, lengthBytes: number, isForced: boolean): void {
    if (offsetBytes < DATA_OFFSET) this.journalWrites += 1;
    else this.dataWrites.push({ offsetBytes, lengthBytes, isForced });
  }
}

export interface TestPoolOptions {
  readonly extentBytes?: number;
  /** Of each device. */
  readonly extents?: number;
  readonly devices?: number;
  /** Extents hold garbage, and nothing is known of them. */
  readonly isDirty?: boolean;
  readonly random?: SeededRandom;
}

interface Waiting {
  readonly retry: () => void;
  readonly expire: (error: IoError) => void;
}

/** A pool in memory without files of its own metadata: maps, space, journal and barrier are the real ones. */
export class TestPool implements Engine {
  readonly poolName = "pool";
  readonly geometry: Geometry;
  readonly devices: TestDevice[] = [];
  readonly memories: MemoryDevice[] = [];
  readonly state: PoolState;
  readonly journal: Journal;
  readonly barrier: Barrier;
  readonly health = new Health("pool");
  readonly clock = systemClock;
  /** Writes that wait for space. */
  readonly waiting: Waiting[] = [];
  isDirty = false;
  readonly fullPolicy = {
    waiters: 0,
    freed: (): void => undefined,
    wait: (retry: () => void, expire: (error: IoError) => void): void => {
      this.waiting.push({ retry, expire });
    },
  };
  /** Writes that the devices had no room for. */
  readonly held: HeldWrite[] = [];
  readonly storage = {
    hold: (write: HeldWrite): void => void this.held.push(write),
    passed: (): void => undefined,
  };
  readonly records: JournalRecord[] = [];
  /** Leaves that were written, by their block. */
  readonly #stored = new Map<number, Uint8Array>();
  #nextBlock = 1;
  #nextId = 1;
  /** While set, leaves are not found on the media. */
  isUnreadable = false;

  private constructor(options: TestPoolOptions) {
    this.geometry = new Geometry(options.extentBytes ?? 65_536);
    const extents = options.extents ?? 64;
    const segments = Array.from({ length: options.devices ?? 1 }, (_, device) => ({
      device,
      offsetBytes: DATA_OFFSET,
      extents,
      virginFrom: options.isDirty === true ? extents : 0,
    }));
    for (const { device } of segments) {
      const sizeBytes = DATA_OFFSET + extents * this.geometry.extentBytes;
      const memory = new MemoryDevice(sizeBytes, `d${device}`);
      if (options.isDirty === true) fillWithGarbage(memory, sizeBytes);
      this.memories.push(memory);
      this.devices.push(new TestDevice(memory, options.random ?? null));
    }
    this.state = new PoolState({
      addresses: new AddressSpace(this.geometry, segments, this.devices),
      reader: { read: (pointers, into) => this.#readLeaf(pointers, into) },
      leafMemoryBytesMax: 64 * MIB,
      clock: this.clock,
      settings: { name: "pool", overcommitMax: 0, thresholds: [] },
      devices: [],
      nextVolumeId: 1,
    });
    this.journal = this.#makeJournal();
    this.barrier = new Barrier({
      journal: this.journal,
      health: this.health,
      devices: () => this.devices,
      space: this.state.space,
      durableSeq: 0,
      clock: this.clock,
    });
    this.state.space.startDeriving();
    this.state.space.finishDeriving();
    this.state.space.onFreed(() => {
      for (const { retry } of this.waiting.splice(0)) retry();
    });
  }

  static async make(options: TestPoolOptions = {}): Promise<TestPool> {
    const pool = new TestPool(options);
    await pool.moveVirginMarks();
    pool.resetCounts();
    return pool;
  }

  /** Until all zeros of the devices can be handed out. */
  async moveVirginMarks(): Promise<void> {
    const { space } = this.state;
    for (let next = space.nextVirgin(); next !== null; next = space.nextVirgin()) {
      await appendRecord(this.journal, { kind: "virgin", ...next });
      await syncBarrier(this.barrier);
    }
  }

  resetCounts(): void {
    for (const device of this.devices) device.resetCounts();
    this.records.length = 0;
  }

  get dataWrites(): TestDevice["dataWrites"] {
    return this.devices.flatMap((device) => device.dataWrites);
  }

  get device(): TestDevice {
    const [device] = this.devices;
    if (device === undefined) throw new Error("there is a device");
    return device;
  }

  /** Kinds of the records since the counts were reset; an unsafe map is "map!". */
  get kinds(): string[] {
    return this.records.map((record) =>
      record.kind === "map" && !record.safe ? "map!" : record.kind,
    );
  }

  async create(sizeBytes: number, attributes: Partial<VolumeAttributes> = {}): Promise<ThinVolume> {
    const all = this.#attributes({ ...attributes, sizeBytes });
    await appendRecord(this.journal, { kind: "create", attributes: all });
    await syncBarrier(this.barrier);
    this.resetCounts();
    return this.#volume(all.id);
  }

  /** Copies volumes in one instant (rule N). `whileClosed` is called when the copies are there, and nothing has been let in yet. */
  async snapshotAll(
    sources: readonly ThinVolume[],
    whileClosed: () => void = () => undefined,
  ): Promise<ThinVolume[]> {
    await closeAll(sources.map(({ gate }) => gate));
    const copies = sources.map(({ attributes }) =>
      this.#attributes({ sizeBytes: attributes.sizeBytes, originId: attributes.id }),
    );
    const records = copies.map((attributes, index) => ({
      kind: "snapshot" as const,
      source: sources[index]?.attributes.id ?? 0,
      attributes,
    }));
    await appendRecords(this.journal, records);
    await syncBarrier(this.barrier);
    this.resetCounts();
    whileClosed();
    for (const { gate } of sources) gate.open();
    return copies.map(({ id }) => this.#volume(id));
  }

  async snapshot(source: ThinVolume, whileClosed?: () => void): Promise<ThinVolume> {
    const [copy] = await this.snapshotAll([source], whileClosed);
    if (copy === undefined) throw new Error("a snapshot is there");
    return copy;
  }

  async delete(volume: ThinVolume): Promise<void> {
    await volume.gate.close({ reads: true });
    await appendRecord(this.journal, { kind: "delete", volume: volume.attributes.id });
    await syncBarrier(this.barrier);
    volume.markGone();
    volume.gate.open();
  }

  /** Everything that was given up comes free. */
  async settle(): Promise<void> {
    await syncBarrier(this.barrier);
    await this.state.space.idle();
  }

  /** Writes all dirty leaves as a checkpoint would, and gives up those in memory. */
  evictLeaves(): number {
    for (const captured of this.state.leaves.capture()) {
      const { leaf, bases, masks } = captured.pages();
      captured.written({
        leaf: this.#store(leaf),
        bases: bases === null ? null : this.#store(bases),
        masks: masks === null ? null : this.#store(masks),
      });
    }
    let count = 0;
    for (let leaf = 1; leaf < this.state.leaves.end; leaf += 1) {
      if (this.state.leaves.exists(leaf) && this.state.leaves.evict(leaf)) count += 1;
    }
    return count;
  }

  #store(page: Uint8Array): { block: number; crc: number } {
    const block = this.#nextBlock;
    this.#nextBlock += 1;
    this.#stored.set(block, page.slice());
    return { block, crc: 1 };
  }

  async #readLeaf(pointers: LeafPointers, into: LeafPages): Promise<void> {
    await new Promise(setImmediate);
    if (this.isUnreadable) throw new IoError("medium", "a page is bad", { object: "pool" });
    for (const kind of ["leaf", "bases", "masks"] as const) {
      const page = this.#stored.get(pointers[kind]?.block ?? 0);
      if (page !== undefined) into[kind]?.set(page);
    }
  }

  #makeJournal(): Journal {
    const journal: Journal = new Journal({
      device: this.device,
      target: {
        apply: (record, seq) => {
          this.records.push(record);
          applyRecord(this.state, record, seq);
        },
        dirtyPages: 0,
      },
      health: this.health,
      poolUuid: "0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a11",
      offsetBytes: JOURNAL_OFFSET,
      blocks: JOURNAL_BLOCKS,
      epoch: 1,
      seq: 0,
      prevCrc: 0,
      dirtyPagesMax: MIB,
      checkpoint: {
        // Nothing here is ever recovered.
        wanted: () => setImmediate(() => journal.checkpointed(journal.appliedSeq)),
      },
    });
    return journal;
  }

  #attributes(attributes: Partial<VolumeAttributes>): VolumeAttributes {
    const id = this.#nextId;
    this.#nextId += 1;
    return {
      id,
      uuid: `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`,
      name: `v${id}`,
      sizeBytes: 0,
      readOnly: false,
      isSnapshot: false,
      originId: 0,
      createdAt: 0,
      reservedBytes: 0,
      quotaBytes: 0,
      ...attributes,
    };
  }

  #volume(id: number): ThinVolume {
    const state = this.state.volumes.get(id);
    if (state === undefined) throw new Error("a volume is there when its record has taken effect");
    return new ThinVolume(this, state);
  }
}

function fillWithGarbage(memory: MemoryDevice, sizeBytes: number): void {
  const piece = Buffer.alloc(MIB, GARBAGE);
  for (let at = DATA_OFFSET; at < sizeBytes; at += MIB) {
    memory.tryWrite(piece, 0, Math.min(MIB, sizeBytes - at), at);
  }
}
