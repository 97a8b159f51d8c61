import type { BlockDevice } from "../../device/block-device.ts";
import type { PoolDevice } from "../format/records.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { Superblock } from "../format/superblock.ts";
import type { OwnerIdentity } from "./owner.ts";

/** What changes from one superblock to the next. */
export interface SuperblockChange {
  readonly generation: number;
  readonly epoch: number;
  readonly checkpointSeq: number;
  readonly root: PagePointer;
  readonly devices: readonly PoolDevice[];
  readonly poolName: string;
  /** An orderly end: nothing is left to replay, and nobody has the pool open. */
  readonly isClean: boolean;
}

/** Writes superblocks and labels; keeps what stays the same between them. */
export class SuperblockStore {
  constructor(superblock: Superblock, owner: OwnerIdentity) {
    void superblock;
    void owner;
  }

  /** The superblock of a checkpoint, on device 0. Not flushed. @throws {IoError} */
  write(device: BlockDevice, change: SuperblockChange): Promise<void> {
    void device;
    return Promise.reject(new Error(String(change.generation)));
  }

  /** The label of a device other than 0, as a member of the pool with these devices. Not flushed. @throws {IoError} */
  writeLabel(device: BlockDevice, index: number, devices: readonly PoolDevice[]): Promise<void> {
    void device;
    void devices;
    return Promise.reject(new Error(String(index)));
  }
}
