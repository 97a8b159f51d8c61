import type { BlockDevice } from "../../device/block-device.ts";
import type { SuperblockCopy } from "../format/superblock-io.ts";

/** The devices of one pool, found. */
export interface Assembly {
  readonly poolUuid: string;
  readonly name: string;
  /** In the pool's order. */
  readonly devices: readonly BlockDevice[];
  /** All copies on device 0, also the broken ones. */
  readonly superblocks: readonly SuperblockCopy[];
}

/**
 * Finds the members of a pool among the devices, in any order.
 *
 * @throws {PoolError} missing: no pool, or a device of it, by UUID; foreign: more than one pool; corrupt: no superblock can be read
 */
export function assemble(devices: readonly BlockDevice[]): Promise<Assembly> {
  return Promise.reject(new Error(String(devices.length)));
}
