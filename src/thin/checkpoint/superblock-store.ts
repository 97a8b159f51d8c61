import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { isFault } from "../format/fault.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { PoolDevice } from "../format/records.ts";
import { readSuperblockCopies, writeSuperblock } from "../format/superblock-io.ts";
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

/** Writes superblocks and labels; keeps what stays the same between them. Flushes are the caller's. */
export class SuperblockStore {
  #last: Superblock;
  readonly #owner: OwnerIdentity;

  /** `superblock` is the one that the pool was opened with. */
  constructor(superblock: Superblock, owner: OwnerIdentity) {
    this.#last = superblock;
    this.#owner = owner;
  }

  /** The superblock that was written last, or that the pool was opened with. */
  get last(): Superblock {
    return this.#last;
  }

  /** The superblock of a checkpoint, on device 0. `refuse`: see {@link writeSuperblock}. @throws {IoError} */
  async write(device: BlockDevice, change: SuperblockChange, refuse?: () => void): Promise<void> {
    const { isClean, ...rest } = change;
    const own = change.devices[0];
    assert(own !== undefined && own.uuid === this.#last.deviceUuid, "device 0 stays what it is");
    this.#last = {
      ...this.#last,
      ...rest,
      deviceIndex: 0,
      clean: isClean,
      owner: { ...this.#owner, state: isClean ? "clean" : "active" },
    };
    await writeSuperblock(device, this.#last, refuse);
  }

  /**
   * The label of a device other than 0, as a member of the pool with these devices. Its generation is its own: each label goes to the
   * place that the one before it does not use, so that a torn write loses none. @throws {IoError}
   */
  async writeLabel(
    device: BlockDevice,
    index: number,
    devices: readonly PoolDevice[],
    refuse?: () => void,
  ): Promise<void> {
    const own = devices[index];
    assert(index > 0 && own !== undefined, "device 0 has the superblock itself");
    let generation = 0;
    for (const { superblock } of await readSuperblockCopies(device)) {
      if (isFault(superblock) || superblock.deviceUuid !== own.uuid) continue;
      generation = Math.max(generation, superblock.generation);
    }
    const deviceUuid = own.uuid;
    const label = { ...this.#last, devices, deviceUuid, deviceIndex: index };
    await writeSuperblock(device, { ...label, generation: generation + 1 }, refuse);
  }
}
