import { MemoryDevice } from "../../../../src/device/memory-device.ts";
import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { formatPool } from "../../../../src/thin/checkpoint/format-pool.ts";
import type { OwnerIdentity } from "../../../../src/thin/checkpoint/owner.ts";
import type { ThinVolume } from "../../../../src/thin/io/thin-volume.ts";
import type { PoolEvent } from "../../../../src/thin/pool/pool-events.ts";
import type { FailureMark, PoolRunSettings } from "../../../../src/thin/pool/pool-options.ts";
import { Pool } from "../../../../src/thin/pool/pool.ts";
import { readBytes, writeBytes } from "../../../../src/util/io-request.ts";
import { SeededRandom } from "../../../../src/util/random.ts";
import { drive } from "../../../support/drive.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../../support/recording-log.ts";

export const MIB: number = 1024 * 1024;
export const EXTENT: number = 64 * 1024;
export const POOL_UUID = "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff";

const BOOT_ID = "0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a11";

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

class FakeMark implements FailureMark {
  readonly pools: Set<string> = new Set();

  isSet(poolUuid: string): Promise<boolean> {
    return Promise.resolve(this.pools.has(poolUuid));
  }

  set(poolUuid: string): void {
    this.pools.add(poolUuid);
  }
}

export function uuidOf(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
}

/** A pool on memory devices, with a clock that the test moves, and what it says. */
export class PoolBench {
  clock: ManualClock = new ManualClock();
  readonly mark: FakeMark = new FakeMark();
  readonly lines: LogLine[] = [];
  readonly events: PoolEvent[] = [];
  devices: BlockDevice[];
  settings: Partial<PoolRunSettings>;
  isHostBusy: () => boolean = () => false;
  bootId: string = BOOT_ID;
  #pool: Pool | null = null;
  #uuids = 0;
  #openings = 0;

  constructor(devices: BlockDevice[], settings: Partial<PoolRunSettings> = {}) {
    this.devices = devices;
    this.settings = settings;
  }

  /** Makes a pool and opens it. */
  static async make(
    options: {
      readonly devices?: BlockDevice[];
      readonly sizeBytes?: number;
      readonly isZero?: boolean;
      readonly settings?: Partial<PoolRunSettings>;
      readonly isHostBusy?: () => boolean;
      readonly overcommitMax?: number;
      readonly thresholds?: readonly number[];
    } = {},
  ): Promise<PoolBench> {
    const devices = options.devices ?? [new MemoryDevice(options.sizeBytes ?? 64 * MIB, "disk")];
    const bench = new PoolBench(devices, options.settings);
    bench.isHostBusy = options.isHostBusy ?? bench.isHostBusy;
    const random = new SeededRandom(7);
    await formatPool(
      devices.map((device) => ({ device, isZero: options.isZero ?? true })),
      {
        uuid: POOL_UUID,
        extentBytes: EXTENT,
        settings: {
          name: "tank",
          overcommitMax: options.overcommitMax ?? 0,
          thresholds: options.thresholds ?? [],
        },
        randomBytes: (count) => Uint8Array.from({ length: count }, () => random.uint32() & 0xff),
        owner: bench.owner(),
      },
    );
    await bench.open();
    return bench;
  }

  get pool(): Pool {
    if (this.#pool === null) throw new Error("the bench's pool is not open");
    return this.#pool;
  }

  /** What happened apart from changes of volumes. */
  spaceEvents(): string[] {
    return this.events.map(({ kind }) => kind).filter((kind) => kind !== "volumes-changed");
  }

  owner(): OwnerIdentity {
    return {
      hostId: "7b1c5a52-6f0e-4d2b-8f39-9a351d6f9c0b",
      bootId: this.bootId,
      nonce: uuidOf(1_000_000 + this.#openings),
      pid: 42,
      openedAtSeconds: 1_700_000_000,
    };
  }

  async open(): Promise<Pool> {
    this.#openings += 1;
    const options = {
      devices: this.devices,
      owner: this.owner(),
      clock: this.clock,
      log: recordingLog(this.lines),
      failureMark: this.mark,
      isHostBusy: this.isHostBusy,
      settings: { discardBytesPerSecond: 0, fillBytesPerSecond: 0, ...this.settings },
    };
    const pool = await this.drive(Pool.open(options));
    this.#pool = pool;
    pool.subscribe((event) => this.events.push(event));
    return pool;
  }

  async close(): Promise<void> {
    await this.drive(this.pool.close());
    this.#pool = null;
  }

  /** The pool goes on with what a copy of its devices holds now, as after a kill. */
  async kill(): Promise<Pool> {
    const copies: BlockDevice[] = [];
    for (const device of this.devices) copies.push(await copyOf(device));
    this.devices = copies;
    this.clock = new ManualClock();
    return this.open();
  }

  /** Waits for what needs timers that are due at once, without letting time pass otherwise. */
  drive<Result>(work: Promise<Result>): Promise<Result> {
    return drive(work, async () => {
      await turn();
      this.clock.advance(0);
    });
  }

  /** Lets time pass in steps, with turns of the event loop between them. */
  async pass(ms: number, stepMs: number = 250): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs);
      for (let count = 0; count < 4; count += 1) {
        await turn();
        this.clock.advance(0);
      }
    }
  }

  uuid(): string {
    this.#uuids += 1;
    return uuidOf(this.#uuids);
  }

  create(name: string, sizeBytes: number = 16 * MIB): Promise<ThinVolume> {
    return this.drive(this.pool.createVolume({ name, uuid: this.uuid(), sizeBytes }));
  }

  async snapshot(source: ThinVolume, name: string, readOnly: boolean = true): Promise<ThinVolume> {
    const [made] = await this.drive(
      this.pool.snapshot([{ source, name, uuid: this.uuid(), readOnly }]),
    );
    if (made === undefined) throw new Error("a snapshot is made");
    return made;
  }

  /** Fills extents of a volume, each with its byte. */
  async fill(volume: ThinVolume, first: number, count: number, byte: number): Promise<void> {
    for (let lext = first; lext < first + count; lext += 1) {
      await this.drive(writeBytes(volume, lext * EXTENT, Buffer.alloc(EXTENT, byte)));
    }
  }

  /** The byte that fills an extent; -1 where it is not one. */
  async byteAt(volume: ThinVolume, lext: number): Promise<number> {
    const content = await this.drive(readBytes(volume, lext * EXTENT, EXTENT));
    const [first = -1] = content;
    return content.equals(Buffer.alloc(EXTENT, first)) ? first : -1;
  }

  /** Writes a volume until the pool has no more, in the background of nobody; returns the extents that it took. */
  async fillUp(volume: ThinVolume, byte: number = 0xee): Promise<number> {
    const { pool } = this;
    let lext = 0;
    while (pool.usage().usableBytes > 0) {
      await this.fill(volume, lext, 1, byte);
      lext += 1;
      if (lext % 64 === 0) await this.pass(250);
    }
    return lext;
  }

  async expectSound(): Promise<void> {
    const findings = await this.drive(this.pool.check());
    if (findings.length > 0) throw new Error(findings.join("; "));
  }
}

export async function copyOf(device: BlockDevice): Promise<MemoryDevice> {
  const copy = new MemoryDevice(device.capacityBytes, device.name);
  const piece = Buffer.alloc(MIB);
  for (let offset = 0; offset < device.capacityBytes; offset += MIB) {
    const length = Math.min(MIB, device.capacityBytes - offset);
    const view = await readBytes(device, offset, length);
    if (view.equals(piece.subarray(0, length))) continue;
    copy.tryWrite(view, 0, length, offset);
  }
  return copy;
}
