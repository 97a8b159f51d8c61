import { randomUUID } from "node:crypto";
import type { FileSystemCalls } from "../../src/device/file-system-calls.ts";
import { FileDevice } from "../../src/device/file-device.ts";
import { createImageFile } from "../../src/device/image-file.ts";
import { formatPool } from "../../src/thin/checkpoint/format-pool.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import { Pool } from "../../src/thin/pool/pool.ts";
import type { PoolRunSettings } from "../../src/thin/pool/pool-options.ts";
import { systemClock } from "../../src/util/clock.ts";
import { openLog } from "../../src/util/log.ts";
import { systemRandomBytes } from "../../src/util/random.ts";

export const EXTENT_BYTES: number = 64 * 1024;

/** A pool of one image file, open in this process. */
export interface OpenPool {
  readonly pool: Pool;
  readonly device: FileDevice;
  /** Clean. */
  readonly close: () => Promise<void>;
}

export async function makePool(path: string, sizeBytes: number): Promise<void> {
  await createImageFile(path, sizeBytes);
  const device = await FileDevice.open(path);
  try {
    await formatPool([{ device, isZero: true }], {
      uuid: randomUUID(),
      extentBytes: EXTENT_BYTES,
      settings: { name: "tank", overcommitMax: 0, thresholds: [] },
      randomBytes: systemRandomBytes,
      owner: await systemOwner(),
    });
  } finally {
    await device.close();
  }
}

export interface OpenPoolOptions {
  readonly calls?: FileSystemCalls;
  readonly settings?: Partial<PoolRunSettings>;
}

export async function openPool(path: string, options: OpenPoolOptions = {}): Promise<OpenPool> {
  const { calls, settings = {} } = options;
  const device = await FileDevice.open(path, calls === undefined ? {} : { calls });
  const pool = await Pool.open({
    devices: [device],
    owner: await systemOwner(),
    clock: systemClock,
    log: openLog({ level: "error", pretty: false }).log,
    // What the bench breaks is its own file.
    failureMark: { isSet: () => Promise.resolve(false), set: () => undefined },
    settings,
  });
  const close = async (): Promise<void> => {
    await pool.close();
    await device.close();
  };
  return { pool, device, close };
}

/** Opens a pool for a while. */
export async function withPool<Result>(
  path: string,
  work: (pool: Pool) => Promise<Result>,
): Promise<Result> {
  const { pool, close } = await openPool(path);
  try {
    return await work(pool);
  } finally {
    await close();
  }
}
