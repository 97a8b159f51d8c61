import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { formatPool } from "../../../src/thin/checkpoint/format-pool.ts";
import type { OwnerIdentity } from "../../../src/thin/checkpoint/owner.ts";
import { Pool } from "../../../src/thin/pool/pool.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import { drive } from "../../support/drive.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";
import { DeviceLog } from "./device-log.ts";
import { RecordingDevice } from "./recording-device.ts";

const POOL_UUID = "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff";

/** What a workload runs on. */
export interface PoolShape {
  /** Bytes each. */
  readonly devices: readonly number[];
  readonly extentBytes: number;
  readonly journalBytes: number;
}

export function uuidOf(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
}

function ownerAt(boot: number): OwnerIdentity {
  return {
    hostId: "7b1c5a52-6f0e-4d2b-8f39-9a351d6f9c0b",
    bootId: uuidOf(1_000_000 + boot),
    nonce: uuidOf(2_000_000 + boot),
    pid: 42,
    openedAtSeconds: 1_700_000_000,
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A clock that goes on while somebody waits for something. */
export class DrivenClock extends ManualClock {
  readonly #msPerTurn: number;

  constructor(msPerTurn: number) {
    super();
    this.#msPerTurn = msPerTurn;
  }

  drive<Result>(work: Promise<Result>): Promise<Result> {
    return drive(work, async () => {
      await turn();
      this.advance(this.#msPerTurn);
    });
  }
}

/**
 * Opens a pool; `boot` 0 is the one in which workloads run. Rejects where that goes without the newest checkpoint, too: no device has failed, and
 * another one of the same kind would leave no way back.
 */
export async function openPool(
  devices: BlockDevice[],
  clock: DrivenClock,
  boot: number,
): Promise<Pool> {
  const lines: LogLine[] = [];
  const pool = await clock.drive(
    Pool.open({
      devices,
      owner: ownerAt(boot),
      clock,
      log: recordingLog(lines),
      failureMark: { isSet: () => Promise.resolve(false), set: () => undefined },
    }),
  );
  const hasFallenBack = lines.some(({ fields }) => fields["fellBack"] === true);
  if (hasFallenBack)
    throw new Error("the newest checkpoint is refused, though no device has failed");
  return pool;
}

/** A pool of which the devices' writes are recorded, from its making on. */
export class RecordedPool {
  readonly shape: PoolShape;
  readonly log: DeviceLog = new DeviceLog();
  readonly random: SeededRandom;
  readonly clock: DrivenClock = new DrivenClock(2);
  readonly pool: Pool;

  private constructor(shape: PoolShape, random: SeededRandom, log: DeviceLog, pool: Pool) {
    this.shape = shape;
    this.random = random;
    this.log = log;
    this.pool = pool;
  }

  static async make(shape: PoolShape, seed: number): Promise<RecordedPool> {
    const random = new SeededRandom(seed);
    const log = new DeviceLog();
    const clock = new DrivenClock(0);
    const devices = shape.devices.map(
      (bytes, index) =>
        new RecordingDevice(new MemoryDevice(bytes, `device${index}`), log, index, random),
    );
    await clock.drive(
      formatPool(
        devices.map((device) => ({ device, isZero: true })),
        {
          uuid: POOL_UUID,
          extentBytes: shape.extentBytes,
          journalBytes: shape.journalBytes,
          settings: { name: "tank", overcommitMax: 0, thresholds: [] },
          randomBytes: (count) => random.bytes(count),
          owner: ownerAt(0),
        },
      ),
    );
    const recorded = new RecordedPool(shape, random, log, await openPool(devices, clock, 0));
    return recorded;
  }

  drive<Result>(work: Promise<Result>): Promise<Result> {
    return this.clock.drive(work);
  }
}
