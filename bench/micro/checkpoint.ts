import { randomUUID } from "node:crypto";
import { DeviceFilter } from "../../src/device/device-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { assemble } from "../../src/thin/checkpoint/assemble.ts";
import { formatPool } from "../../src/thin/checkpoint/format-pool.ts";
import { recover, type Recovered } from "../../src/thin/checkpoint/recovery.ts";
import { NO_EXTENT } from "../../src/thin/format/geometry.ts";
import { LEAF_ENTRIES } from "../../src/thin/format/layout.ts";
import type { JournalRecord } from "../../src/thin/format/records.ts";
import { appendRecord } from "../../src/thin/log/promises.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import { systemClock } from "../../src/util/clock.ts";
import { IoKind, type IoRequest } from "../../src/util/io-request.ts";
import { silentLog } from "../../src/util/log.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { EXTENT_BYTES } from "../engine/thin-pool.ts";
import { attributesOf } from "./pool-state.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

const KIB = 1024;
const GIB: number = 1024 ** 3;
const LEAF_MEMORY_BYTES: number = GIB;

/** Counts what is written, journal and superblocks included. */
class CountingDevice extends DeviceFilter {
  writtenBytes = 0;

  override tryWrite(from: Uint8Array, at: number, lengthBytes: number, offset: number): boolean {
    const isDone = super.tryWrite(from, at, lengthBytes, offset);
    if (isDone) this.writtenBytes += lengthBytes;
    return isDone;
  }

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.write) this.writtenBytes += request.lengthBytes;
    super.submit(request);
  }
}

async function openPool(device: CountingDevice): Promise<Recovered> {
  const owner = await systemOwner();
  await formatPool([{ device, isZero: false }], {
    uuid: randomUUID(),
    extentBytes: EXTENT_BYTES,
    settings: { name: "tank", overcommitMax: 0, thresholds: [] },
    randomBytes: systemRandomBytes,
    owner,
  });
  const { superblocks, joining, devices } = await assemble([device]);
  return recover({
    devices,
    joining,
    superblocks,
    owner,
    clock: systemClock,
    log: silentLog,
    leafMemoryBytesMax: LEAF_MEMORY_BYTES,
  });
}

/** The record of a write into an extent, which a snapshot has shared until then: it goes to another place. */
function moved(pool: Recovered, lext: number, runMax: number): JournalRecord {
  const { space } = pool.state;
  const phys = space.allocate(null, runMax);
  if (phys === NO_EXTENT) throw new Error("the pool of this bench is full");
  return { kind: "map", volume: 1, lext, phys, run: space.lastRun, safe: true };
}

async function makeVolume(pool: Recovered, volumeBytes: number): Promise<number> {
  await appendRecord(pool.journal, { kind: "create", attributes: attributesOf(1, volumeBytes) });
  const extents = volumeBytes / EXTENT_BYTES;
  for (let lext = 0; lext < extents; lext += LEAF_ENTRIES) {
    const run = Math.min(LEAF_ENTRIES, extents - lext);
    await appendRecord(pool.journal, moved(pool, lext, run));
  }
  await pool.checkpointer.run("asked");
  return Math.ceil(extents / LEAF_ENTRIES);
}

/** A change in so many leaves, and the checkpoint that makes them the truth. */
function caseOf(
  pool: Recovered,
  device: CountingDevice,
  shape: { readonly name: string; readonly changes: number; readonly leaves: number },
): MicroCase {
  const { checkpointer, journal } = pool;
  let slot = 0;
  let made = 0;
  let writtenBytes = 0;
  const work = async (): Promise<number> => {
    const { generation } = checkpointer;
    const writtenBefore = device.writtenBytes;
    slot = (slot + 1) % (LEAF_ENTRIES / 2);
    const appended: Promise<number>[] = [];
    for (let index = 0; index < shape.changes; index += 1) {
      const leafIndex = Math.floor((index * shape.leaves) / shape.changes);
      appended.push(appendRecord(journal, moved(pool, leafIndex * LEAF_ENTRIES + slot, 1)));
    }
    await Promise.all(appended);
    await checkpointer.run("asked");
    made += 1;
    writtenBytes += device.writtenBytes - writtenBefore;
    return checkpointer.generation - generation;
  };
  return {
    name: shape.name,
    expected: 1,
    start: (done, failed) => void work().then(done, failed),
    note: () => `${Math.round(writtenBytes / made / KIB)} KiB written`,
  };
}

export const checkpointBench: MicroBench = {
  name: "checkpoint",
  about: "changes of a map, and the checkpoint that writes them, on a device in memory",
  prepare: async (isBrief) => {
    const volumeBytes = (isBrief ? 1 : 32) * GIB;
    const device = new CountingDevice(new MemoryDevice(1.5 * volumeBytes), "memory");
    const pool = await openPool(device);
    const leaves = await makeVolume(pool, volumeBytes);
    const title = `of the ${leaves} leaves of ${volumeBytes / GIB} GiB`;
    return {
      cases: [
        caseOf(pool, device, { name: "no change", changes: 0, leaves }),
        caseOf(pool, device, { name: `a change in 1 ${title}`, changes: 1, leaves }),
        caseOf(pool, device, {
          name: `a change in each 8th ${title}`,
          changes: Math.ceil(leaves / 8),
          leaves,
        }),
        caseOf(pool, device, { name: `a change in each ${title}`, changes: leaves, leaves }),
      ],
      close: async () => {
        await pool.checkpointer.close();
        pool.state.space.stop();
      },
    };
  },
};
