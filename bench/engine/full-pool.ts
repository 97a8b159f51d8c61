import { randomUUID } from "node:crypto";
import { FileDevice } from "../../src/device/file-device.ts";
import { assemble } from "../../src/thin/checkpoint/assemble.ts";
import { recover, type Recovered } from "../../src/thin/checkpoint/recovery.ts";
import { NO_EXTENT } from "../../src/thin/format/geometry.ts";
import { LEAF_ENTRIES } from "../../src/thin/format/layout.ts";
import type { JournalRecord } from "../../src/thin/format/records.ts";
import { appendRecord, syncBarrier } from "../../src/thin/log/promises.ts";
import type { VolumeState } from "../../src/thin/map/volume-state.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import { systemClock } from "../../src/util/clock.ts";
import { silentLog } from "../../src/util/log.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { EXTENT_BYTES, makePool } from "./thin-pool.ts";

/** Its volume is called so. */
export const FULL_VOLUME = "full";

/** Extents that follow each other in the volume and in the pool: 1 MiB. The runs are in no order, as after years of use. */
const RUN_EXTENTS = 16;

/** Records that are appended in one go. */
const BATCH_RECORDS = 4096;

/** Room besides what is mapped: for maps, and for what is written while a snapshot keeps the old. */
const SPARE_SHARE = 1 / 16;

const LEAF_MEMORY_BYTES: number = 256 * 1024 * 1024;

/**
 * Makes a pool with a volume of which every extent is mapped, without writing data: the maps are made by records of the journal, as
 * by clients. The file is sparse, and takes some hundred bytes for each MiB mapped.
 */
export async function makeFullPool(path: string, mappedBytes: number): Promise<void> {
  await makePool(path, mappedBytes * (1 + SPARE_SHARE));
  await withEngine(path, async (engine) => {
    const volume = await createFull(engine, mappedBytes);
    const extents = mappedBytes / EXTENT_BYTES;
    // What is not taken here stays known as zeros.
    await appendRecord(engine.journal, { kind: "virgin", segment: 0, from: extents + 65_536 });
    await syncBarrier(engine.barrier);
    engine.state.space.virginDurable(0, extents + 65_536);
    await mapAll(engine, volume, extents);
  });
}

/** The same without anything mapped. */
export async function makeEmptyPool(path: string, sizeBytes: number): Promise<void> {
  await makePool(path, sizeBytes * (1 + SPARE_SHARE));
  await withEngine(path, async (engine) => {
    await createFull(engine, sizeBytes);
  });
}

async function withEngine(path: string, work: (engine: Recovered) => Promise<void>): Promise<void> {
  const device = await FileDevice.open(path);
  try {
    const assembly = await assemble([device]);
    const engine = await recover({
      devices: assembly.devices,
      superblocks: assembly.superblocks,
      owner: await systemOwner(),
      clock: systemClock,
      log: silentLog,
      leafMemoryBytesMax: LEAF_MEMORY_BYTES,
    });
    await work(engine);
    await syncBarrier(engine.barrier);
    await engine.checkpointer.close();
    engine.state.space.stop();
  } finally {
    await device.close();
  }
}

async function createFull({ journal, state }: Recovered, sizeBytes: number): Promise<VolumeState> {
  const attributes = {
    id: state.nextVolumeId,
    uuid: randomUUID(),
    name: FULL_VOLUME,
    sizeBytes,
    readOnly: false,
    isSnapshot: false,
    originId: 0,
    createdAt: 0,
    reservedBytes: 0,
    quotaBytes: 0,
  };
  await appendRecord(journal, { kind: "create", attributes });
  const volume = state.volumeByName(FULL_VOLUME);
  if (volume === undefined) throw new Error("the volume was made");
  return volume;
}

async function mapAll(engine: Recovered, volume: VolumeState, extents: number): Promise<void> {
  let records: JournalRecord[] = [];
  for (const start of shuffledStarts(extents)) {
    let lext = start;
    const end = Math.min(extents, start + RUN_EXTENTS);
    while (lext < end) {
      const inLeaf = LEAF_ENTRIES - (lext % LEAF_ENTRIES);
      const phys = engine.state.space.allocate(volume, Math.min(end - lext, inLeaf));
      if (phys === NO_EXTENT) throw new Error(`the pool is full at extent ${lext}`);
      const run = engine.state.space.lastRun;
      records.push({ kind: "map", volume: volume.id, lext, phys, run, safe: true });
      lext += run;
    }
    if (records.length < BATCH_RECORDS) continue;
    await appendAll(engine, records);
    records = [];
  }
  if (records.length > 0) await appendAll(engine, records);
}

function shuffledStarts(extents: number): Uint32Array {
  const random = new SeededRandom(1);
  const starts = new Uint32Array(Math.ceil(extents / RUN_EXTENTS));
  for (const index of starts.keys()) starts[index] = index * RUN_EXTENTS;
  for (let index = starts.length - 1; index > 0; index -= 1) {
    const other = random.uint32() % (index + 1);
    const start = starts[index] ?? 0;
    starts[index] = starts[other] ?? 0;
    starts[other] = start;
  }
  return starts;
}

/** Resolves with the last of them; each block takes as many as fit. */
function appendAll({ journal }: Recovered, records: readonly JournalRecord[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = records.length;
    const waiter = {
      appended: (): void => {
        left -= 1;
        if (left === 0) resolve();
      },
      appendFailed: reject,
    };
    for (const record of records) journal.append(record, waiter);
  });
}
