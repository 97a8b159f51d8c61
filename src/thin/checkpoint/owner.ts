import type { OwnerRecord } from "../format/superblock.ts";

/** Who opens a pool: what the superblock says of its owner, apart from whether the pool is open. */
export type OwnerIdentity = Omit<OwnerRecord, "state">;
