import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { Geometry } from "../../../src/thin/format/geometry.ts";
import type { LeafPointers, PagePointer } from "../../../src/thin/format/pointer.ts";
import type { JournalRecord, Segment, VolumeAttributes } from "../../../src/thin/format/records.ts";
import { applyRecord, leavesNeeded } from "../../../src/thin/map/apply.ts";
import type { CapturedMaps } from "../../../src/thin/map/capture-maps.ts";
import { decodeLeafNode, decodePointers } from "../../../src/thin/format/node.ts";
import { isFault } from "../../../src/thin/format/fault.ts";
import { captureMaps } from "../../../src/thin/map/capture-maps.ts";
import type { LeafPages } from "../../../src/thin/map/captured-leaf.ts";
import { deriveSpace } from "../../../src/thin/map/derive.ts";
import { PoolState } from "../../../src/thin/map/pool-state.ts";
import { TreeNode } from "../../../src/thin/map/tree-node.ts";
import { AddressSpace } from "../../../src/thin/space/address-space.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { systemClock } from "../../../src/util/clock.ts";

export const EXTENT_BYTES: number = 16 * 1024;

/** What checkpoints have written, by block. */
export class Media {
  readonly pages = new Map<number, Uint8Array>();
  readonly nodes = new Map<number, (LeafPointers | null)[] | (PagePointer | null)[]>();
  reads = 0;

  read(pointers: LeafPointers, into: LeafPages): Promise<void> {
    this.reads += 1;
    return Promise.resolve().then(() => {
      this.#copy(pointers.leaf, into.leaf);
      if (pointers.bases !== null) this.#copy(pointers.bases, into.bases);
      if (pointers.masks !== null) this.#copy(pointers.masks, into.masks);
    });
  }

  #copy(pointer: PagePointer, into: Uint8Array | null): void {
    const page = this.pages.get(pointer.block);
    if (page === undefined || into === null) {
      throw new IoError("medium", `nothing is in block ${pointer.block}`, { object: "media" });
    }
    into.set(page);
  }
}

export interface HarnessOptions {
  readonly segments?: readonly Segment[];
  readonly leafMemoryBytesMax?: number;
  readonly media?: Media;
}

export const SEGMENTS: readonly Segment[] = [
  { device: 0, offsetBytes: 1 << 20, extents: 400, virginFrom: 300 },
  { device: 1, offsetBytes: 2 << 20, extents: 150, virginFrom: 0 },
];

export function makeState(options: HarnessOptions = {}): PoolState {
  const media = options.media ?? new Media();
  const segments = options.segments ?? SEGMENTS;
  const devices = [0, 1, 2].map((index) => new MemoryDevice(1 << 24, `device-${index}`));
  return new PoolState({
    addresses: new AddressSpace(new Geometry(EXTENT_BYTES), segments, devices),
    reader: media,
    leafMemoryBytesMax: options.leafMemoryBytesMax ?? 1 << 26,
    clock: systemClock,
    settings: { name: "pool", overcommitMax: 0, thresholds: [] },
    devices: [0, 1].map((index) => ({ uuid: `device-${index}`, sizeBytes: 1 << 30 })),
    nextVolumeId: 1,
  });
}

export async function openState(options: HarnessOptions = {}): Promise<PoolState> {
  const state = makeState(options);
  await deriveSpace(state);
  return state;
}

export function attributesOf(id: number, extents: number): VolumeAttributes {
  return {
    id,
    uuid: `uuid-${id}`,
    name: `volume-${id}`,
    sizeBytes: extents * EXTENT_BYTES,
    readOnly: false,
    isSnapshot: false,
    originId: 0,
    createdAt: 0,
    reservedBytes: 0,
    quotaBytes: 0,
  };
}

/** Loads what a record needs, and carries it out in one turn. */
export async function carryOut(
  state: PoolState,
  record: JournalRecord,
  seq: number,
): Promise<void> {
  const needed = leavesNeeded(state, record);
  for (const leaf of needed) state.leaves.pin(leaf);
  await Promise.all(needed.map((leaf) => state.leaves.load(leaf)));
  applyRecord(state, record, seq);
  for (const leaf of needed) if (state.leaves.exists(leaf)) state.leaves.unpin(leaf);
}

let crcs = 0;

/** Writes what was captured, as a checkpointer does. */
export function writeMaps(state: PoolState, media: Media, maps: CapturedMaps): void {
  const place = (): PagePointer => {
    crcs += 1;
    return { block: state.space.takeMetadataBlock(), crc: crcs };
  };
  for (const captured of maps.leaves) {
    const pages = captured.pages();
    const put = (bytes: Uint8Array | null): PagePointer | null => {
      if (bytes === null) return null;
      const pointer = place();
      media.pages.set(pointer.block, bytes.slice());
      return pointer;
    };
    const leaf = put(pages.leaf);
    if (leaf !== null) captured.written({ leaf, bases: put(pages.bases), masks: put(pages.masks) });
  }
  for (const node of maps.nodes) {
    const pointer = place();
    const page = node.page();
    const children = node.level === 1 ? decodeLeafNode(page) : decodePointers(page);
    if (isFault(children)) throw new Error(children.message);
    media.nodes.set(pointer.block, children);
    node.written(pointer);
  }
}

/** A checkpoint as it is stored, enough to open the pool from it. */
export interface Stored {
  readonly generation: number;
  readonly nextVolumeId: number;
  readonly segments: readonly Segment[];
  readonly devices: PoolState["devices"];
  readonly volumes: readonly {
    readonly attributes: VolumeAttributes;
    readonly depth: number;
    readonly root: PagePointer | null;
  }[];
}

/** Captures now; what is returned writes, makes the checkpoint durable, and says what is stored. */
export function startCheckpoint(state: PoolState, media: Media): () => Stored {
  const generation = state.space.generation + 1;
  const maps = captureMaps(state, generation);
  const { nextVolumeId, devices } = state;
  const segments = [...state.addresses.segments];
  return () => {
    writeMaps(state, media, maps);
    const volumes = maps.volumes.map(({ attributes, depth, root }) => ({
      attributes,
      depth,
      root: root(),
    }));
    state.space.checkpointDurable(generation);
    return { generation, nextVolumeId, segments, devices, volumes };
  };
}

/** Builds the maps of a checkpoint; the caller replays and derives. */
export function restore(stored: Stored, media: Media, options: HarnessOptions = {}): PoolState {
  const state = makeState({ ...options, media, segments: stored.segments });
  state.space.generation = stored.generation;
  state.nextVolumeId = stored.nextVolumeId;
  state.devices = stored.devices;
  const leaves = new Map<number, number>();
  const nodes = new Map<number, TreeNode>();
  for (const { attributes, depth, root } of stored.volumes) {
    const { map } = state.addVolume(attributes);
    const visit = (level: number, index: number, pointer: PagePointer): void => {
      const node = nodes.get(pointer.block) ?? new TreeNode(pointer);
      nodes.set(pointer.block, node);
      map.setStoredNode(level, index, node);
      state.space.adoptMetadataBlock(pointer.block);
      for (const [child, below] of (media.nodes.get(pointer.block) ?? []).entries()) {
        if (below === null) continue;
        if ("block" in below) visit(level - 1, index * 252 + child, below);
        else map.setStoredLeaves(index * 84 + child, [leafOf(state, leaves, below)]);
      }
    };
    if (root !== null) visit(depth, 0, root);
  }
  return state;
}

function leafOf(state: PoolState, leaves: Map<number, number>, pointers: LeafPointers): number {
  for (const pointer of [pointers.leaf, pointers.bases, pointers.masks]) {
    if (pointer !== null) state.space.adoptMetadataBlock(pointer.block);
  }
  const leaf = leaves.get(pointers.leaf.block) ?? state.leaves.addStored(pointers);
  leaves.set(pointers.leaf.block, leaf);
  return leaf;
}
