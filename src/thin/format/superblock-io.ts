import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { IoError } from "../../util/io-error.ts";
import { readBytes, writeBytes } from "../../util/io-request.ts";
import { FormatFault, isFault } from "./fault.ts";
import { BLOCK_BYTES } from "./geometry.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "./layout.ts";
import { decodeSuperblock, encodeSuperblock, type Superblock } from "./superblock.ts";

/** One of the four places of a device, and what is there. */
export interface SuperblockCopy {
  readonly offsetBytes: number;
  readonly superblock: Superblock | FormatFault;
}

/**
 * Reads the copies of a device's superblock. The two at the end lie where the device ended when it joined the pool
 * or grew last, which those at the head tell; where these are lost, where it ends now. There are more than four where head
 * and end disagree.
 *
 * Places that cannot be read are faults too.
 */
export async function readSuperblockCopies(device: BlockDevice): Promise<SuperblockCopy[]> {
  const copies: SuperblockCopy[] = [];
  for (const [slot, offsetBytes] of SUPERBLOCK_OFFSETS.entries()) {
    copies.push(await readCopy(device, offsetBytes, slot));
  }
  const [expected = device.capacityBytes, ...others] = endsOf(device, copies);
  for (const [slot, offsetBytes] of tailOffsets(expected).entries()) {
    copies.push(await readCopy(device, offsetBytes, slot));
  }
  for (const end of others) {
    for (const [slot, offsetBytes] of tailOffsets(end).entries()) {
      const copy = await readCopy(device, offsetBytes, slot);
      if (!isFault(copy.superblock)) copies.push(copy);
    }
  }
  return copies;
}

/** The whole copy of the latest generation, the first of equals; undefined: none is whole. */
export function newestOf(copies: readonly SuperblockCopy[]): Superblock | undefined {
  let newest: Superblock | undefined;
  for (const { superblock } of copies) {
    if (isFault(superblock)) continue;
    if (newest === undefined || superblock.generation > newest.generation) newest = superblock;
  }
  return newest;
}

/** Where the device may have ended when the copies at its end were written, the likeliest first. */
function endsOf(device: BlockDevice, copies: readonly SuperblockCopy[]): number[] {
  const found = copies
    .flatMap(({ superblock }) => (isFault(superblock) ? [] : [superblock]))
    .toSorted((a, b) => b.generation - a.generation)
    .flatMap(({ devices, deviceIndex }) => devices[deviceIndex]?.sizeBytes ?? []);
  return [...new Set([...found, device.capacityBytes])];
}

async function readCopy(
  device: BlockDevice,
  offsetBytes: number,
  slot: number,
): Promise<SuperblockCopy> {
  if (offsetBytes < 0 || offsetBytes + BLOCK_BYTES > device.capacityBytes) {
    const outside = new FormatFault("absent", "the device ends before this place");
    return { offsetBytes, superblock: outside };
  }
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(device, offsetBytes, BLOCK_BYTES);
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    return {
      offsetBytes,
      superblock: new FormatFault("damaged", `cannot be read: ${error.message}`),
    };
  }
  const superblock = decodeSuperblock(bytes);
  if (!isFault(superblock) && superblock.generation % SUPERBLOCK_OFFSETS.length !== slot) {
    const misplaced = new FormatFault("misplaced", "a superblock in the place of the other slot");
    return { offsetBytes, superblock: misplaced };
  }
  return { offsetBytes, superblock };
}

/**
 * Writes the superblock to the slot of its generation and to that slot's copy at the end of the device. Flushes nothing: the caller
 * knows the order (rule C). `refuse` is asked right before each is written, and throws where the pool has stopped.
 *
 * @throws {IoError} what `refuse` throws
 */
export async function writeSuperblock(
  device: BlockDevice,
  superblock: Superblock,
  refuse: () => void = () => undefined,
): Promise<void> {
  const own = superblock.devices[superblock.deviceIndex];
  assert(own !== undefined, "a superblock lists its own device");
  assert(own.sizeBytes <= device.capacityBytes, "the pool's device is not larger than the device");
  const bytes = encodeSuperblock(superblock);
  const slot = superblock.generation % SUPERBLOCK_OFFSETS.length;
  for (const offsets of [SUPERBLOCK_OFFSETS, tailOffsets(own.sizeBytes)]) {
    const offsetBytes = offsets[slot];
    assert(offsetBytes !== undefined, "there is a place for each slot");
    refuse();
    await writeBytes(device, offsetBytes, bytes);
  }
}
