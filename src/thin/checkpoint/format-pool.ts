import type { BlockDevice } from "../../device/block-device.ts";
import type { RandomBytes } from "../../util/random.ts";
import type { PoolSettings } from "../format/records.ts";
import type { OwnerIdentity } from "./owner.ts";

export interface FormatDevice {
  readonly device: BlockDevice;
  /** It reads as zeros on stable media where nothing was written: a file that was made just now. */
  readonly isZero: boolean;
}

export interface FormatOptions {
  /** Lower-case UUID of the pool. */
  readonly uuid: string;
  readonly extentBytes: number;
  readonly journalBytes?: number;
  /** The name among them. */
  readonly settings: PoolSettings;
  /** For the UUIDs of the devices. */
  readonly randomBytes: RandomBytes;
  readonly owner: OwnerIdentity;
}

/**
 * Makes an empty pool. The first device gets the journal and the superblock; that is written last.
 *
 * @throws {PoolError} invalid: sizes that make no pool; io: a device did not take it
 */
export function formatPool(
  devices: readonly FormatDevice[],
  options: FormatOptions,
): Promise<void> {
  return Promise.reject(new Error(`${devices.length} ${options.uuid}`));
}
