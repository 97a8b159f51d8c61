import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { isFault } from "../../../../src/thin/format/fault.ts";
import { locatePool } from "../../../../src/thin/tools/locate-pool.ts";
import { imageOfTree, type PoolImage, runsOf } from "../../../../src/thin/tools/pool-image.ts";
import { readTree } from "../../../../src/thin/tools/pool-tree.ts";
import { readBytes, writeBytes } from "../../../../src/util/io-request.ts";
import type { MemoryDevice } from "../../../../src/device/memory-device.ts";
import { EXAMPLE_EXTENTS, exampleBlocks } from "../../format/support/example-pool.ts";
import { deviceWith } from "../../format/support/format-document.ts";

const EXTENT_BYTES = 65_536;
const FIRST_EXTENT_AT = 9 * 2 ** 20;

/** The example's pool with data: each extent is filled with its own number. */
export async function exampleDevice(): Promise<MemoryDevice> {
  const device = await deviceWith(exampleBlocks());
  for (const phys of Object.values(EXAMPLE_EXTENTS)) {
    await writeBytes(
      device,
      FIRST_EXTENT_AT + phys * EXTENT_BYTES,
      Buffer.alloc(EXTENT_BYTES, phys),
    );
  }
  return device;
}

/** Where a block of the example lies. */
export function offsetOf(title: string): number {
  const block = exampleBlocks().find((one) => one.title === title);
  if (block === undefined) throw new Error(`the example has no ${title}`);
  return block.offsetBytes;
}

/** Destroys blocks of the example. */
export async function destroy(device: BlockDevice, titles: readonly string[]): Promise<void> {
  for (const title of titles) await writeBytes(device, offsetOf(title), Buffer.alloc(4096, 0xee));
}

/** The image of the newest checkpoint; no page of it may be broken. */
export async function imageOf(devices: readonly BlockDevice[]): Promise<PoolImage> {
  const pool = await locatePool(devices);
  const [superblock] = pool.superblocks;
  const complain = (what: string, fault: unknown): never => {
    throw new Error(`${what}: ${isFault(fault) ? fault.message : "broken"}`);
  };
  const tree = superblock === undefined ? null : await readTree(pool, superblock, complain);
  if (tree === null) throw new Error("there is no tree");
  return imageOfTree(tree, complain);
}

/** What the volumes hold, by name: the first byte of each part of each mapped extent, as "extent.part=byte". */
export async function contentOf(image: PoolImage): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  const { maskBlocks, maskBlockBytes } = image.places.geometry;
  const byteAt = async (phys: number, part: number): Promise<number> => {
    if (phys < 0) return 0;
    const { device, offsetBytes } = image.places.placeOf(phys);
    if (device === null) throw new Error("a device is missing");
    const [byte = -1] = await readBytes(device, offsetBytes + part * maskBlockBytes, 1);
    return byte;
  };
  for (const volume of image.volumes.values()) {
    const words: string[] = [];
    for (const { lext, run, phys, partial } of runsOf(volume)) {
      for (let step = 0; step < run; step += 1) {
        const bytes: number[] = [];
        for (let part = 0; part < maskBlocks; part += 1) {
          const isOwn = partial === null || ((partial.mask >>> part) & 1) === 1;
          bytes.push(await byteAt(isOwn ? phys + step : partial.base, part));
        }
        words.push(`${lext + step}=${compact(bytes)}`);
      }
    }
    content[volume.attributes.name] = words.join(" ");
  }
  return content;
}

/** Equal neighbours once. */
function compact(bytes: readonly number[]): string {
  return bytes.filter((byte, index) => byte !== bytes[index - 1]).join(",");
}
