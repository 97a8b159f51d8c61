import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { IoError } from "../../util/io-error.ts";
import { flush, readBytes, writeBytes } from "../../util/io-request.ts";
import type { RandomBytes } from "../../util/random.ts";
import { type FormatDevice, formatPool } from "../checkpoint/format-pool.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { ROOT_BLOCKS } from "../checkpoint/root-place.ts";
import { isZero } from "../format/identity.ts";
import { LEAF_ENTRIES, PARTIAL_FLAG } from "../format/layout.ts";
import { PageKind } from "../format/page.ts";
import { encodeRoot } from "../format/root.ts";
import { writeSuperblock } from "../format/superblock-io.ts";
import { PoolError } from "../pool-error.ts";
import type { ExtentPlaces } from "./extent-places.ts";
import { locatePool } from "./locate-pool.ts";
import { PageBuilder } from "./page-builder.ts";
import type { LeafImage, PoolImage } from "./pool-image.ts";
import { readTree } from "./pool-tree.ts";

export interface WritePoolOptions {
  /** Empty devices, which become the new pool; whatever they hold is gone. */
  readonly targets: readonly FormatDevice[];
  /** Of the new pool; lower-case. */
  readonly uuid: string;
  readonly randomBytes: RandomBytes;
  readonly owner: OwnerIdentity;
  readonly journalBytes?: number;
  /** Extents that were copied, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** An extent that could not be read; it is zeros in the new pool. */
export interface LostExtent {
  readonly phys: number;
  readonly message: string;
}

/**
 * Makes a pool with the volumes of an image, and copies what they map: each extent once, so that what volumes share stays shared.
 *
 * @throws {PoolError} space: the targets are too small; invalid; io
 * @throws {IoError} a target does not take it
 */
export async function writePool(
  image: PoolImage,
  options: WritePoolOptions,
): Promise<LostExtent[]> {
  const { targets, onProgress = () => undefined } = options;
  const { extentBytes } = image.places.geometry;
  await formatPool(targets, { ...options, extentBytes, settings: image.settings });
  const pool = await locatePool(targets.map(({ device }) => device));
  const [superblock] = pool.superblocks;
  assert(superblock !== undefined, "a pool that was made has a superblock");
  const tree = await readTree(pool, superblock, (what, { message }) => {
    throw new PoolError(
      "corrupt",
      `the new pool does not hold what was written: ${what}: ${message}`,
    );
  });
  assert(tree !== null, "a pool that was made has a root");
  const newPhys = placeExtents(image);
  const { places } = tree;
  const needed = 1 + newPhys.size + extentsForPages(image);
  if (needed > places.extentCount) {
    throw new PoolError(
      "space",
      `the new pool has ${places.extentCount} extents of ${extentBytes} bytes, ${needed} are needed`,
    );
  }
  const lost = await copyExtents(image.places, places, newPhys, onProgress);
  const generation = superblock.generation + 1;
  const firstBlock = (1 + newPhys.size) * places.geometry.blocksPerExtent;
  const builder = new PageBuilder(places, options.uuid, generation, firstBlock);
  const leaves = new Map<LeafImage, LeafImage>();
  const moved = (leaf: LeafImage): LeafImage => {
    const known = leaves.get(leaf) ?? moveLeaf(leaf, newPhys);
    leaves.set(leaf, known);
    return known;
  };
  const directories = await builder.writeVolumes(image, moved);
  const used = builder.endExtent;
  const [, rootBlock = 0] = ROOT_BLOCKS;
  const root = await builder.write({ kind: PageKind.root, block: rootBlock }, (page) =>
    encodeRoot(page, {
      ...tree.root,
      nextVolumeId: image.nextVolumeId,
      volumeCount: image.volumes.size,
      segments: marked(tree.root.segments, targets, used),
      directories,
    }),
  );
  for (const { device } of targets) await flush(device);
  const head = targets[0]?.device;
  assert(head !== undefined, "a pool has a device");
  // A new epoch: nothing may fall back to the empty pool that was made first.
  const { epoch } = superblock;
  await writeSuperblock(head, { ...superblock, generation, epoch: epoch + 1, root });
  await flush(head);
  return lost;
}

type Segments = Parameters<typeof encodeRoot>[1]["segments"];

/** What was written is below the marks of devices that were zeros; on others nothing is known to be. */
function marked(segments: Segments, targets: readonly FormatDevice[], used: number): Segments {
  let first = 0;
  return segments.map((segment) => {
    const mark = Math.min(segment.extents, Math.max(used - first, segment.virginFrom));
    first += segment.extents;
    return {
      ...segment,
      virginFrom: targets[segment.device]?.isZero === true ? mark : segment.extents,
    };
  });
}

/** New numbers for all extents that are in use, in the order of volumes and addresses; extent 0 is for metadata. */
function placeExtents(image: PoolImage): Map<number, number> {
  const newPhys = new Map<number, number>();
  const seen = new Set<LeafImage>();
  const place = (phys: number): void => {
    if (!newPhys.has(phys)) newPhys.set(phys, 1 + newPhys.size);
  };
  for (const { leaves } of image.volumes.values()) {
    for (const leaf of leaves.values()) {
      if (seen.has(leaf)) continue;
      seen.add(leaf);
      for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
        const word = leaf.words[slot] ?? 0;
        if (word === 0) continue;
        place((word & ~PARTIAL_FLAG) - 1);
        const base = leaf.bases?.[slot] ?? 0;
        if (word >= PARTIAL_FLAG && base !== 0) place(base - 1);
      }
    }
  }
  return newPhys;
}

function moveLeaf(leaf: LeafImage, newPhys: ReadonlyMap<number, number>): LeafImage {
  const words = new Uint32Array(LEAF_ENTRIES);
  const bases = new Uint32Array(LEAF_ENTRIES);
  const masks = new Uint32Array(LEAF_ENTRIES);
  let isPartial = false;
  for (let slot = 0; slot < LEAF_ENTRIES; slot += 1) {
    const word = leaf.words[slot] ?? 0;
    if (word === 0) continue;
    const phys = newPhys.get((word & ~PARTIAL_FLAG) - 1);
    assert(phys !== undefined, "all extents in use have a new place");
    words[slot] = phys + 1;
    if (word < PARTIAL_FLAG) continue;
    isPartial = true;
    words[slot] = PARTIAL_FLAG + phys + 1;
    masks[slot] = leaf.masks?.[slot] ?? 0;
    const base = leaf.bases?.[slot] ?? 0;
    bases[slot] = base === 0 ? 0 : (newPhys.get(base - 1) ?? -1) + 1;
  }
  return isPartial ? { words, bases, masks } : { words, bases: null, masks: null };
}

/** The most that the pages can take: a leaf with side pages has three, and the nodes above are a few more. */
function extentsForPages(image: PoolImage): number {
  const leaves = new Set<LeafImage>();
  let nodes = 0;
  for (const volume of image.volumes.values()) {
    for (const leaf of volume.leaves.values()) leaves.add(leaf);
    nodes += 5 + Math.ceil(volume.leaves.size / 84) * 2;
  }
  let pages = nodes + image.volumes.size + 16;
  for (const { bases } of leaves) pages += bases === null ? 1 : 3;
  return Math.ceil(pages / image.places.geometry.blocksPerExtent);
}

async function copyExtents(
  source: ExtentPlaces,
  target: ExtentPlaces,
  newPhys: ReadonlyMap<number, number>,
  onProgress: (done: number, total: number) => void,
): Promise<LostExtent[]> {
  const lost: LostExtent[] = [];
  const { extentBytes } = source.geometry;
  let done = 0;
  for (const [phys, to] of newPhys) {
    const bytes = await readExtent(source, phys);
    if (typeof bytes === "string") lost.push({ phys, message: bytes });
    await putExtent(target, to, typeof bytes === "string" ? Buffer.alloc(extentBytes) : bytes);
    done += 1;
    onProgress(done, newPhys.size);
  }
  return lost;
}

async function readExtent(source: ExtentPlaces, phys: number): Promise<Buffer | string> {
  const { device, offsetBytes } = source.placeOf(phys);
  if (device === null) return "its device is missing";
  try {
    return await readBytes(device, offsetBytes, source.geometry.extentBytes);
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    return error.message;
  }
}

async function putExtent(target: ExtentPlaces, phys: number, bytes: Buffer): Promise<void> {
  const { device, offsetBytes } = target.placeOf(phys);
  assert(device !== null, "the new pool has all its devices");
  const isHole =
    isZero(bytes, 0, bytes.length) && (await isZeroAlready(device, offsetBytes, bytes));
  if (!isHole) await writeBytes(device, offsetBytes, bytes);
}

/** Zeros are not written where they are: a sparse file stays sparse. */
async function isZeroAlready(
  device: BlockDevice,
  offsetBytes: number,
  { length }: Buffer,
): Promise<boolean> {
  return isZero(await readBytes(device, offsetBytes, length), 0, length);
}
