import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { formatPool } from "../../../src/thin/checkpoint/format-pool.ts";
import { systemOwner } from "../../../src/thin/members/owner.ts";
import { Pool } from "../../../src/thin/pool/pool.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { systemRandomBytes } from "../../../src/util/random.ts";
import { EngineDriver } from "../../../src/volume/engine/engine-driver.ts";
import { recordingLog } from "../../support/recording-log.ts";
import type { VolumeHarness } from "../contract/factory.ts";

export const MIB: number = 1024 * 1024;
export const EXTENT: number = 64 * 1024;
export const POOL_UUID = "0d0c3b74-5f4b-4a0e-8d1e-0c8e2a3f9b10";
const UUIDS: Readonly<Record<string, string>> = {
  disk: "8b7a5f9c-2f5e-4c8e-9d35-54a2cbbd3c11",
  nowhere: "8b7a5f9c-2f5e-4c8e-9d35-54a2cbbd3c12",
};

export interface PoolHarness extends VolumeHarness {
  readonly pool: Pool;
}

/** A pool in an image file of its own. */
export async function poolHarness(
  options: Readonly<Record<string, unknown>> = {},
): Promise<PoolHarness> {
  const folder = await mkdtemp(join(tmpdir(), "thinlun-engine-"));
  const path = join(folder, "pool.img");
  await createImageFile(path, 128 * MIB);
  const device = await FileDevice.open(path);
  const owner = await systemOwner();
  await formatPool([{ device, isZero: true }], {
    uuid: POOL_UUID,
    extentBytes: EXTENT,
    settings: { name: "tank", overcommitMax: 0, thresholds: [] },
    randomBytes: systemRandomBytes,
    owner,
  });
  const pool = await Pool.open({
    devices: [device],
    owner,
    clock: systemClock,
    log: recordingLog([]),
    failureMark: { isSet: () => Promise.resolve(false), set: () => undefined },
  });
  return {
    pool,
    driver: new EngineDriver((name) => (name === "tank" ? { pool, rotational: false } : undefined)),
    spec: (name, sizeBytes) => ({
      name,
      uuid: UUIDS[name] ?? "",
      options: { pool: "tank", ...options },
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    }),
    dispose: async () => {
      await pool.close();
      await device.close();
      await rm(folder, { recursive: true });
    },
  };
}
