import type { BlockDevice } from "../../src/device/block-device.ts";
import { Geometry, NO_EXTENT } from "../../src/thin/format/geometry.ts";
import { LEAF_ENTRIES, SEGMENT_ALIGNMENT_BYTES } from "../../src/thin/format/layout.ts";
import type { Segment, VolumeAttributes } from "../../src/thin/format/records.ts";
import { applyRecord } from "../../src/thin/map/apply.ts";
import { deriveSpace } from "../../src/thin/map/derive.ts";
import { PoolState } from "../../src/thin/map/pool-state.ts";
import type { VolumeState } from "../../src/thin/map/volume-state.ts";
import { AddressSpace } from "../../src/thin/space/address-space.ts";
import { systemClock } from "../../src/util/clock.ts";
import { EXTENT_BYTES } from "../engine/thin-pool.ts";

const GIB: number = 1024 ** 3;
/** The maps of these benches stay in memory: that of 1 TiB takes 66 MiB. */
const LEAF_MEMORY_BYTES: number = GIB;

export interface StateShape {
  readonly extents: number;
  /** A pool that has grown has several; all are on the one device here. */
  readonly segments?: number;
  readonly device: BlockDevice;
}

/** What a pool knows of its space and its volumes, with nothing behind it: no journal, and no pages on the media. */
export async function makePoolState({
  extents,
  segments = 1,
  device,
}: StateShape): Promise<PoolState> {
  const each = Math.ceil(extents / segments);
  const table = Array.from({ length: segments }, (_, index): Segment => {
    const offsetBytes = SEGMENT_ALIGNMENT_BYTES + index * each * EXTENT_BYTES;
    return { device: 0, offsetBytes, extents: each, virginFrom: each };
  });
  const state = new PoolState({
    addresses: new AddressSpace(new Geometry(EXTENT_BYTES), table, [device]),
    reader: { read: () => Promise.reject(new Error("no leaf of this bench is on the media")) },
    leafMemoryBytesMax: LEAF_MEMORY_BYTES,
    clock: systemClock,
    settings: { name: "tank", overcommitMax: 0, thresholds: [] },
    devices: [{ uuid: "00000000-0000-4000-8000-000000000000", sizeBytes: device.capacityBytes }],
    nextVolumeId: 1,
  });
  await deriveSpace(state);
  return state;
}

export function attributesOf(id: number, sizeBytes: number): VolumeAttributes {
  return {
    id,
    uuid: `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`,
    name: `volume-${id}`,
    sizeBytes,
    readOnly: false,
    isSnapshot: false,
    originId: 0,
    createdAt: 0,
    reservedBytes: 0,
    quotaBytes: 0,
  };
}

/** Maps all of a volume, a leaf at a time, in runs as long as the space has them. */
export function mapAll(state: PoolState, volume: VolumeState): void {
  const { extentCount } = volume.map;
  for (let lext = 0; lext < extentCount;) {
    const runMax = Math.min(extentCount - lext, LEAF_ENTRIES - (lext % LEAF_ENTRIES));
    const phys = state.space.allocate(null, runMax);
    if (phys === NO_EXTENT) throw new Error("the pool has no room for the volume");
    const run = state.space.lastRun;
    applyRecord(state, { kind: "map", volume: volume.id, lext, phys, run, safe: true }, 1);
    lext += run;
  }
}
