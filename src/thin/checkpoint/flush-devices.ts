import type { BlockDevice } from "../../device/block-device.ts";
import { flush } from "../../util/io-request.ts";

/** Flushes all of them in parallel; rejects with the first error when all are done. @throws {IoError} */
export async function flushDevices(devices: readonly BlockDevice[]): Promise<void> {
  const results = await Promise.allSettled(devices.map((device) => flush(device)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
