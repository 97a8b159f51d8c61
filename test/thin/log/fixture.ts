import type { BlockDevice } from "../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { BLOCK_BYTES } from "../../../src/thin/format/geometry.ts";
import { type JournalBlock, openJournalBlock } from "../../../src/thin/format/journal-block.ts";
import type { JournalRecord } from "../../../src/thin/format/records.ts";
import { Barrier } from "../../../src/thin/log/barrier.ts";
import { Health } from "../../../src/thin/log/health.ts";
import { type AppendWaiter, Journal } from "../../../src/thin/log/journal.ts";
import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../../src/util/io-request.ts";

export const POOL_UUID = "0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a11";
export const RING_BLOCKS = 32;
export const RING_OFFSET: number = 64 * 1024;

/** Notes, in one list for all devices, what reaches them; holds requests back while it is told to. */
export class RecordingDevice extends DeviceFilter {
  readonly #events: string[];
  readonly held: IoRequest[] = [];
  isHolding = false;

  constructor(below: BlockDevice, events: string[]) {
    super(below, below.name);
    this.#events = events;
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (this.isHolding) return false;
    this.#events.push(`${this.name}: write ${offsetBytes}`);
    return super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    const name = request.kind === IoKind.flush ? "flush" : `write ${request.offsetBytes}`;
    if (request.kind !== IoKind.read) this.#events.push(`${this.name}: ${name}`);
    if (this.isHolding) this.held.push(request);
    else super.submit(request);
  }

  /** Lets the oldest request that is held go on. */
  letOne(): void {
    const request = this.held.shift();
    if (request !== undefined) super.submit(request);
  }
}

export class TestWaiter implements AppendWaiter {
  seq = 0;
  error: IoError | null = null;
  readonly #then: (seq: number) => void;

  constructor(then: (seq: number) => void = () => undefined) {
    this.#then = then;
  }

  appended(seq: number): void {
    this.seq = seq;
    this.#then(seq);
  }

  appendFailed(error: IoError): void {
    this.error = error;
  }
}

/** Journal and barrier over recording devices, with maps that only take notes. */
export class LogFixture {
  readonly events: string[] = [];
  readonly devices: RecordingDevice[] = [];
  readonly health = new Health("pool");
  readonly applied: { record: JournalRecord; seq: number }[] = [];
  readonly released: number[] = [];
  dirtyPages = 0;
  nowMs = 5000;
  wanted = 0;
  readonly journal: Journal;
  readonly barrier: Barrier;

  constructor(deviceCount: number = 1, wrap: (device: BlockDevice) => BlockDevice = (d) => d) {
    for (let index = 0; index < deviceCount; index += 1) {
      const memory = wrap(new MemoryDevice(4 * 1024 * 1024, `d${index}`));
      this.devices.push(new RecordingDevice(memory, this.events));
    }
    const target = {
      apply: (record: JournalRecord, seq: number): void => void this.applied.push({ record, seq }),
    };
    Object.defineProperty(target, "dirtyPages", { get: () => this.dirtyPages });
    this.journal = new Journal({
      device: this.head,
      target: target as typeof target & { dirtyPages: number },
      health: this.health,
      poolUuid: POOL_UUID,
      offsetBytes: RING_OFFSET,
      blocks: RING_BLOCKS,
      epoch: 7,
      seq: 100,
      prevCrc: 0,
      dirtyPagesMax: 2000,
      checkpoint: { wanted: () => void (this.wanted += 1) },
    });
    this.barrier = new Barrier({
      journal: this.journal,
      health: this.health,
      devices: () => this.devices,
      space: { release: (seq) => void this.released.push(seq) },
      durableSeq: 100,
      clock: { nowMs: () => this.nowMs, after: () => ({ cancel: () => undefined }) },
    });
  }

  get head(): RecordingDevice {
    const [head] = this.devices;
    if (head === undefined) throw new Error("there is a device");
    return head;
  }

  blockAt(seq: number): JournalBlock {
    const block = Buffer.alloc(BLOCK_BYTES);
    this.head.tryRead(block, 0, BLOCK_BYTES, placeOf(seq));
    const opened = openJournalBlock(block, POOL_UUID);
    if (isFault(opened)) throw new Error(`block ${seq}: ${opened.message}`);
    return opened;
  }
}

export function placeOf(seq: number): number {
  return RING_OFFSET + (seq % RING_BLOCKS) * BLOCK_BYTES;
}

export function mapOf(lext: number, safe: boolean = false): JournalRecord {
  return { kind: "map", volume: 1, lext, phys: lext, run: 1, safe };
}

/** Lets everything run that waits for no I/O. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 8; round += 1) await Promise.resolve();
}
