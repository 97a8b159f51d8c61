import type { BlockDevice } from "../../device/block-device.ts";
import type { Clock } from "../../util/clock.ts";
import { type FormatFault, isFault } from "../format/fault.ts";
import { Geometry } from "../format/geometry.ts";
import { leavesUnder, NODE_LEAVES, NODE_POINTERS } from "../format/layout.ts";
import { decodeLeafNode, decodePointers } from "../format/node.ts";
import { PageKind } from "../format/page.ts";
import type { LeafPointers, PagePointer } from "../format/pointer.ts";
import { decodeRoot, type Root } from "../format/root.ts";
import type { Superblock } from "../format/superblock.ts";
import { decodeVolumesPage, type VolumeRecord } from "../format/volume-record.ts";
import { LEAF_SLOTS_MAX } from "../limits.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { PoolState } from "../map/pool-state.ts";
import { TreeNode } from "../map/tree-node.ts";
import { leafCountFor, type VolumeMap } from "../map/volume-map.ts";
import { extentsFor } from "../map/volume-state.ts";
import { PoolError } from "../pool-error.ts";
import { AddressSpace } from "../space/address-space.ts";
import { PagePlaces } from "./page-place.ts";
import { PageReader } from "./page-reader.ts";
import { firstExtentOffset, isRootOf, ROOT_BLOCKS, rootPlaces } from "./root-place.ts";

export interface TreeReaderOptions {
  /** In the pool's order; more than the checkpoint knows are fine. */
  readonly devices: readonly BlockDevice[];
  readonly superblock: Superblock;
  readonly leafMemoryBytesMax: number;
  readonly clock: Clock;
}

/** A checkpoint in memory, apart from its leaves, which are known by their places. */
export interface LoadedTree {
  readonly state: PoolState;
  readonly root: Root;
  /** Volumes pages and directories. */
  readonly topPages: readonly PagePointer[];
  /** The blocks of all its pages, those of leaves included. */
  readonly blocks: Set<number>;
}

/**
 * Reads the checkpoint of a superblock: root, directories, volumes and nodes.
 *
 * @throws {PoolError} corrupt: what it says cannot be; missing: a device that it uses
 * @throws {IoError} medium: a page is broken; or the device's error
 */
export async function readTree(options: TreeReaderOptions): Promise<LoadedTree> {
  const { superblock, devices, leafMemoryBytesMax, clock } = options;
  const geometry = new Geometry(superblock.extentBytes);
  const root = await readRoot(superblock, devices, geometry);
  const known = devices.slice(0, root.devices.length);
  const addresses = new AddressSpace(geometry, root.segments, known);
  const { poolUuid, poolName } = superblock;
  const reader = new PageReader(new PagePlaces(addresses, geometry), poolUuid, poolName);
  const { settings, nextVolumeId } = root;
  const state = new PoolState({
    addresses,
    reader,
    leafMemoryBytesMax,
    clock,
    settings,
    devices: root.devices,
    nextVolumeId,
  });
  state.space.generation = superblock.generation;
  for (const block of ROOT_BLOCKS) state.space.adoptMetadataBlock(block);
  const tree = new TreeReader(state, reader);
  const topPages = await tree.read(root);
  return { state, root, topPages, blocks: tree.blocks };
}

/** Errors as of {@link readTree}. */
export async function readRoot(
  superblock: Superblock,
  devices: readonly BlockDevice[],
  geometry: Geometry,
): Promise<Root> {
  const [head] = devices;
  if (head === undefined) throw new PoolError("missing", "a pool has a device");
  const offsetBytes = firstExtentOffset(superblock.journal);
  const places = rootPlaces(head, geometry, offsetBytes);
  const { poolUuid, poolName, root: pointer } = superblock;
  if (!ROOT_BLOCKS.includes(pointer.block)) throw corrupt(`a root in block ${pointer.block}`);
  const page = await new PageReader(places, poolUuid, poolName).page(pointer, PageKind.root);
  const root = valueOf(decodeRoot(page));
  if (!isRootOf(root, superblock)) throw corrupt("a root that is not this superblock's");
  return root;
}

/** A node that was read, and where its first parent has it. */
interface KnownNode {
  readonly node: TreeNode;
  readonly level: number;
  readonly index: number;
  readonly crc: number;
}

/** Builds the maps. Volumes that are copies share nodes and leaves: each is read and made once, by its place. */
class TreeReader {
  readonly #state: PoolState;
  readonly #reader: PageReader;
  readonly #nodes = new Map<number, KnownNode>();
  /** The leaves under a node of level 1, and the children of one above, by the node's place. */
  readonly #leavesOf = new Map<number, Uint32Array>();
  readonly #childrenOf = new Map<number, readonly (PagePointer | null)[]>();
  readonly #leaves = new Map<number, { id: number; index: number; pointers: LeafPointers }>();
  readonly #topPages: PagePointer[] = [];
  readonly blocks: Set<number> = new Set(ROOT_BLOCKS);
  readonly #names = new Set<string>();
  readonly #uuids = new Set<string>();
  #leafSlots = 0;

  constructor(state: PoolState, reader: PageReader) {
    this.#state = state;
    this.#reader = reader;
  }

  async read(root: Root): Promise<PagePointer[]> {
    let count = 0;
    for (const directory of root.directories) {
      const page = await this.#readTop(directory, PageKind.directory);
      for (const pointer of valueOf(decodePointers(page))) {
        if (pointer === null) continue;
        const volumes = valueOf(decodeVolumesPage(await this.#readTop(pointer, PageKind.volumes)));
        for (const volume of volumes) await this.#readVolume(volume);
        count += volumes.length;
      }
    }
    if (count !== root.volumeCount || count !== this.#state.volumes.size) {
      throw corrupt(`${count} volumes instead of ${root.volumeCount}`);
    }
    return this.#topPages;
  }

  async #readTop(pointer: PagePointer, kind: PageKind): Promise<Uint8Array> {
    const page = await this.#reader.page(pointer, kind);
    this.#adopt(pointer);
    this.#topPages.push(pointer);
    return page;
  }

  async #readVolume(record: VolumeRecord): Promise<void> {
    const { attributes, mappedExtents, ownedExtents, depth, root } = record;
    const { id, name, uuid } = attributes;
    const isKnown = this.#state.volumes.has(id) || this.#names.has(name) || this.#uuids.has(uuid);
    if (isKnown || id >= this.#state.nextVolumeId) throw corrupt(`volume ${id} ("${name}")`);
    this.#names.add(name);
    this.#uuids.add(uuid);
    this.#leafSlots += leafCountFor(extentsFor(this.#state.geometry, attributes.sizeBytes));
    if (this.#leafSlots > LEAF_SLOTS_MAX) throw corrupt("volumes larger than its maps may be");
    const volume = this.#state.addVolume(attributes);
    volume.mappedExtents = mappedExtents;
    volume.ownedExtents = ownedExtents;
    if (root.block === 0) return;
    if (depth !== volume.map.depth) throw corrupt(`a map of ${depth} levels in volume ${id}`);
    await this.#readNode(volume.map, depth, 0, root);
  }

  async #readNode(
    map: VolumeMap,
    level: number,
    index: number,
    pointer: PagePointer,
  ): Promise<void> {
    if (index * leavesUnder(level) >= map.leafCount) throw corrupt("a node past a volume's end");
    const { node } = await this.#nodeAt(pointer, level, index);
    map.setStoredNode(level, index, node);
    if (level === 1) {
      this.#setLeaves(map, index, this.#leavesOf.get(pointer.block) ?? new Uint32Array());
      return;
    }
    const children = this.#childrenOf.get(pointer.block) ?? [];
    for (const [slot, child] of children.entries()) {
      if (child !== null) await this.#readNode(map, level - 1, index * NODE_POINTERS + slot, child);
    }
  }

  #setLeaves(map: VolumeMap, index: number, ids: Uint32Array): void {
    const first = index * NODE_LEAVES;
    const inside = ids.subarray(0, map.leafCount - first);
    if (ids.subarray(inside.length).some((leaf) => leaf !== NO_LEAF)) {
      throw corrupt("a leaf past a volume's end");
    }
    map.setStoredLeaves(first, inside);
  }

  async #nodeAt(pointer: PagePointer, level: number, index: number): Promise<{ node: TreeNode }> {
    const known = this.#nodes.get(pointer.block);
    if (known !== undefined) {
      // Copies have it where their source has it. Anything else would let a few pages make a map without end.
      if (known.level !== level || known.index !== index || known.crc !== pointer.crc) {
        throw corrupt(`a node with two places or versions in block ${pointer.block}`);
      }
      return known;
    }
    const page = await this.#reader.page(pointer, PageKind.node, level);
    this.#adopt(pointer);
    if (level === 1) {
      const ids = valueOf(decodeLeafNode(page)).map((leaf, place) =>
        leaf === null ? NO_LEAF : this.#leafOf(leaf, index * NODE_LEAVES + place),
      );
      this.#leavesOf.set(pointer.block, Uint32Array.from(ids));
    } else {
      this.#childrenOf.set(pointer.block, valueOf(decodePointers(page)));
    }
    const made = { node: new TreeNode(pointer), level, index, crc: pointer.crc };
    this.#nodes.set(pointer.block, made);
    return made;
  }

  #leafOf(pointers: LeafPointers, index: number): number {
    const { leaf, bases, masks } = pointers;
    const known = this.#leaves.get(leaf.block);
    if (known !== undefined) {
      const isSame =
        known.index === index &&
        isSamePage(known.pointers.leaf, leaf) &&
        isSamePage(known.pointers.bases, bases) &&
        isSamePage(known.pointers.masks, masks);
      if (!isSame) throw corrupt(`two leaves in block ${leaf.block}`);
      return known.id;
    }
    this.#adopt(leaf);
    if (bases !== null) this.#adopt(bases);
    if (masks !== null) this.#adopt(masks);
    const id = this.#state.leaves.addStored(pointers);
    this.#leaves.set(leaf.block, { id, index, pointers });
    return id;
  }

  /** A place has one page: what is adopted twice would be freed twice. */
  #adopt({ block }: PagePointer): void {
    if (this.blocks.has(block)) throw corrupt(`two pages in block ${block}`);
    const { addresses, geometry } = this.#state;
    if (block >= addresses.extentCount * geometry.blocksPerExtent) {
      throw corrupt(`a page in block ${block}, past the pool's end`);
    }
    this.blocks.add(block);
    this.#state.space.adoptMetadataBlock(block);
  }
}

function isSamePage(a: PagePointer | null, b: PagePointer | null): boolean {
  return a?.block === b?.block && a?.crc === b?.crc;
}

function valueOf<T>(decoded: T | FormatFault): T {
  if (isFault(decoded)) throw corrupt(decoded.message);
  return decoded;
}

function corrupt(what: string): PoolError {
  return new PoolError("corrupt", `the checkpoint is broken: it has ${what}`);
}
