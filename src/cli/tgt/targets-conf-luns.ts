import type { StoreWanted } from "./targets-conf-store.ts";
import type { TargetWanted } from "./targets-conf-target.ts";

/** A store and the number of its logical unit. */
export interface NumberedStore {
  readonly store: StoreWanted;
  readonly lun: number;
}

/**
 * Numbers the stores of a target as tgt-admin does: from 1 on, past the numbers that the blocks of stores name, also of those
 * that are left out. A store that is left out because it is not there, or in use, takes none, so that the numbers of those
 * behind it change when it is there the next time. Who wants numbers that stay writes them.
 * A `lun` for all of the target goes before those of blocks: it makes sense for one store only.
 */
export function assignLuns(
  target: Pick<TargetWanted, "stores" | "lun">,
  isLeftOut: (store: StoreWanted) => boolean,
): NumberedStore[] {
  const taken = new Set(target.stores.map((store) => store.lun));
  let free = 1;
  return target.stores
    .filter((store) => !isLeftOut(store))
    .map((store) => {
      if (target.lun !== null) return { store, lun: target.lun };
      if (store.lun !== null) return { store, lun: store.lun };
      while (taken.has(free)) free += 1;
      taken.add(free);
      return { store, lun: free };
    });
}
