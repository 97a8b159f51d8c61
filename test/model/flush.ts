import { DEVICES_AT_START, METADATA_DEVICE } from "./geometry.ts";
import type { Pool, Steps } from "./pool.ts";
import { FlushFailed } from "./violation.ts";

/** One fdatasync on each of the devices, all issued now; they complete in any order. */
export function* flushDevices(pool: Pool, devices: readonly number[]): Steps {
  const begun = pool.disk.beginFlush();
  const open = [...devices];
  while (open.length > 0) {
    yield undefined;
    const [device = METADATA_DEVICE] = open.splice(pool.random.below(open.length), 1);
    if (pool.flushFailures > 0 && pool.random.chance(pool.flushFailures)) {
      pool.disk.failFlush(device, begun);
      if (pool.mutation !== "retryFailedFlush") throw new FlushFailed("a flush failed");
    }
    pool.disk.completeFlush(device, begun);
  }
  yield undefined;
}

export function allDevices(pool: Pool): number[] {
  const devices = pool.mutation === "grownNotFlushed" ? DEVICES_AT_START : pool.devices;
  return Array.from({ length: devices }, (_, device) => device);
}
