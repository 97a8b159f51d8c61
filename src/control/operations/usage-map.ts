import type { PoolState } from "../../thin/map/pool-state.ts";
import type { UsageMap } from "../protocol.ts";

/** What a map has, unless somebody wants another: eight lines of a terminal. */
export const MAP_CELLS_DEFAULT = 512;

/** Extents of a cell that are looked at: with all of them, a pool of 100 TiB would hold the daemon up for seconds. */
const SAMPLES_MAX = 512;

/** Where on the pool's devices its data lie, in at most so many cells. Large cells are sampled evenly. */
export function usageMap({ addresses, geometry, space }: PoolState, cellsMax: number): UsageMap {
  const { extentCount } = addresses;
  const cellExtents = Math.max(1, Math.ceil(extentCount / cellsMax));
  const cells: UsageMap["cells"][number][] = [];
  for (let first = 0; first < extentCount; first += cellExtents) {
    const extents = Math.min(cellExtents, extentCount - first);
    const samples = Math.min(extents, SAMPLES_MAX);
    let [data, metadata] = [0, 0];
    for (let sample = 0; sample < samples; sample += 1) {
      const phys = first + Math.floor((sample * extents) / samples);
      const state = space.stateOf(phys);
      // Extents behind a virgin mark are nobody's yet, and free to everybody but the allocator.
      if (state === "data" && space.references(phys) > 0) data += 1;
      else if (state === "metadata") metadata += 1;
    }
    cells.push({ data: data / samples, metadata: metadata / samples });
  }
  return { cellBytes: cellExtents * geometry.extentBytes, cells };
}
