import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import { BLOCK_BYTES, type Geometry } from "../format/geometry.ts";
import { SEGMENT_ALIGNMENT_BYTES } from "../format/layout.ts";
import type { Root } from "../format/root.ts";
import { haveRoom } from "../format/segment-table.ts";
import type { Superblock } from "../format/superblock.ts";
import { PagePlaces } from "./page-place.ts";

/**
 * Where root pages go. The root says where all extents are, so it must be found without that: it lies in extent 0, which begins at the
 * first MiB behind the journal on device 0 and belongs to metadata for good. There are three places, for the root that is being
 * written and those of the two generations that recovery can start from.
 */
export const ROOT_BLOCKS: readonly number[] = [1, 2, 3];

/** A place that the last two checkpoints do not use. */
export function nextRootBlock(last: number, beforeLast: number): number {
  const block = ROOT_BLOCKS.find((place) => place !== last && place !== beforeLast);
  assert(block !== undefined, "one of three places is free");
  return block;
}

/** Where extent 0 begins on device 0, in bytes. */
export function firstExtentOffset(journal: {
  readonly offsetBytes: number;
  readonly blocks: number;
}): number {
  const end = journal.offsetBytes + journal.blocks * BLOCK_BYTES;
  return Math.ceil(end / SEGMENT_ALIGNMENT_BYTES) * SEGMENT_ALIGNMENT_BYTES;
}

/** The places of extent 0 only, for reading a root. */
export function rootPlaces(head: BlockDevice, geometry: Geometry, offsetBytes: number): PagePlaces {
  return new PagePlaces(
    { extentCount: 1, deviceOf: () => head, offsetOf: () => offsetBytes },
    geometry,
  );
}

/** Whether a root is the one of this superblock, and its segments can be where it says. */
export function isRootOf(root: Root, superblock: Superblock): boolean {
  const [first] = root.segments;
  return (
    root.checkpointSeq === superblock.checkpointSeq &&
    first?.device === 0 &&
    first.offsetBytes === firstExtentOffset(superblock.journal) &&
    first.virginFrom > 0 &&
    haveRoom(root.segments, root.devices, superblock.extentBytes)
  );
}
