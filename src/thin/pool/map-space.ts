import { LEAF_SLOTS_MAX } from "../limits.ts";
import { extentsFor } from "../map/volume-state.ts";
import { leafCountFor } from "../map/volume-map.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PoolError } from "../pool-error.ts";

/** Whether a volume may be added: its maps need places that no data give back. Errors: space. */
export function checkMapSpace(state: PoolState): void {
  if (!state.space.isMetadataShort) return;
  throw new PoolError(
    "space",
    "the pool is full, and what it keeps for its own maps is used up: add a device, or delete what is not needed",
  );
}

/** Whether the maps of all volumes still fit into memory with those of volumes of these sizes, in bytes. Errors: space. */
export function checkLeafSlots(state: PoolState, sizesBytes: readonly number[]): void {
  let slots = 0;
  for (const { map } of state.volumes.values()) slots += map.leafCount;
  for (const bytes of sizesBytes) slots += leafCountFor(extentsFor(state.geometry, bytes));
  if (slots <= LEAF_SLOTS_MAX) return;
  throw new PoolError(
    "space",
    "the volumes and snapshots of the pool would be larger in all than its maps may be in memory: delete some, or make them smaller",
  );
}
