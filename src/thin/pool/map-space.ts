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
