import { FormatFault, isFault } from "../format/fault.ts";
import { DEPTH_MAX, NODE_LEAVES, NODE_POINTERS } from "../format/layout.ts";
import { decodeLeafNode, decodePointers } from "../format/node.ts";
import { PageKind } from "../format/page.ts";
import { type LeafPointers, NO_POINTER, type PagePointer } from "../format/pointer.ts";
import { decodeRoot, type Root } from "../format/root.ts";
import type { Superblock } from "../format/superblock.ts";
import { decodeVolumesPage, type VolumeRecord } from "../format/volume-record.ts";
import { firstExtentOffset, isRootOf, ROOT_BLOCKS } from "../checkpoint/root-place.ts";
import { ExtentPlaces } from "./extent-places.ts";
import type { LocatedPool } from "./locate-pool.ts";
import { nameOf, readPages, type WantedPage } from "./page-batch.ts";

/** A leaf of the tree, however many nodes point to it. */
export interface TreeLeaf {
  readonly pointers: LeafPointers;
  readonly index: number;
}

/** A node, however many volumes and nodes point to it. Children by their places; null: none, or broken. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
  /** At level 1 numbers into the tree's leaves, above blocks of nodes; -1: none. */
  readonly children: readonly number[];
}

/** The checkpoint of one superblock: all of its pages but the leaves, which are left to `readLeaves`. */
export interface PoolTree {
  readonly superblock: Superblock;
  readonly root: Root;
  readonly places: ExtentPlaces;
  readonly volumes: readonly VolumeRecord[];
  /** By block. */
  readonly nodes: ReadonlyMap<number, TreeNode>;
  readonly leaves: readonly TreeLeaf[];
  /** Blocks of all pages that were found, leaves and side pages included. */
  readonly blocks: readonly number[];
}

/** Told of each page that is not what its parent means. */
export type NoteFault = (what: string, fault: FormatFault) => void;

/**
 * Reads the tree of a superblock, each page once. Null where the root is not whole.
 *
 * @throws nothing for what a disk says: that goes to `note`
 */
export async function readTree(
  pool: LocatedPool,
  superblock: Superblock,
  note: NoteFault,
): Promise<PoolTree | null> {
  const rootPage = await readRoot(pool, superblock, note);
  if (rootPage === null) return null;
  const devices = rootPage.devices.map(({ uuid }) => pool.deviceByUuid.get(uuid) ?? null);
  const places = new ExtentPlaces(superblock.extentBytes, rootPage.segments, devices);
  const walk = new Walk(places, superblock.poolUuid, note);
  walk.blocks.push(superblock.root.block);
  const volumes = await walk.readVolumes(rootPage);
  await walk.readNodes(volumes);
  const { nodes, leaves, blocks } = walk;
  return { superblock, root: rootPage, places, volumes, nodes, leaves, blocks };
}

/** The root says where all extents are; it lies itself where that need not be known, in the first blocks of extent 0. */
async function readRoot(
  pool: LocatedPool,
  superblock: Superblock,
  note: NoteFault,
): Promise<Root | null> {
  const { root: pointer, extentBytes, poolUuid, generation } = superblock;
  const offsetBytes = firstExtentOffset(superblock.journal);
  const first = { device: 0, offsetBytes, extents: 1, virginFrom: 0 };
  const places = new ExtentPlaces(extentBytes, [first], pool.devices.slice(0, 1));
  let root: Root | FormatFault = new FormatFault("absent", "there is none");
  const wanted = wantedPage(pointer, PageKind.root, 0, 0);
  if (!ROOT_BLOCKS.includes(pointer.block)) {
    root = new FormatFault("misplaced", "no root lies in this place");
  } else
    await readPages(places, poolUuid, [wanted], (_, found) => {
      root = isFault(found) ? found : checkRoot(decodeRoot(found.page), superblock);
    });
  const result = root as Root | FormatFault;
  if (!isFault(result)) return result;
  note(`the root of generation ${generation} (block ${pointer.block})`, result);
  return null;
}

function checkRoot(root: Root | FormatFault, superblock: Superblock): Root | FormatFault {
  if (isFault(root) || isRootOf(root, superblock)) return root;
  return new FormatFault("misplaced", "it is not the one of its superblock");
}

/** Copies have a page where their source has it. Anything else would let a few pages make a map without end. */
const DIFFERENT_PARENTS = new FormatFault(
  "misplaced",
  "two parents mean different versions or places of it",
);

function isSameLeaf(leaf: TreeLeaf, other: TreeLeaf | undefined): boolean {
  const [a, b] = [leaf.pointers, other?.pointers];
  return (
    leaf.index === other?.index &&
    a.leaf.crc === b?.leaf.crc &&
    a.bases?.block === b.bases?.block &&
    a.bases?.crc === b.bases?.crc &&
    a.masks?.block === b.masks?.block &&
    a.masks?.crc === b.masks?.crc
  );
}

class Walk {
  readonly nodes = new Map<number, TreeNode>();
  readonly leaves: TreeLeaf[] = [];
  readonly blocks: number[] = [];
  readonly #places: ExtentPlaces;
  readonly #poolUuid: string;
  readonly #note: NoteFault;
  /** The number of a leaf by its block. */
  readonly #leafByBlock = new Map<number, number>();

  constructor(places: ExtentPlaces, poolUuid: string, note: NoteFault) {
    this.#places = places;
    this.#poolUuid = poolUuid;
    this.#note = note;
  }

  async readVolumes(root: Root): Promise<VolumeRecord[]> {
    const directories = root.directories.map((pointer, index) =>
      wantedPage(pointer, PageKind.directory, 0, index),
    );
    const pages: WantedPage[] = [];
    await this.#read(directories, (wanted, page) => {
      const pointers = decodePointers(page);
      if (isFault(pointers)) return pointers;
      for (const [place, pointer] of pointers.entries()) {
        const index = wanted.index * NODE_POINTERS + place;
        if (pointer !== null) pages.push(wantedPage(pointer, PageKind.volumes, 0, index));
      }
      return null;
    });
    const volumes: VolumeRecord[] = [];
    await this.#read(pages, (_, page) => {
      const records = decodeVolumesPage(page);
      if (isFault(records)) return records;
      volumes.push(...records);
      return null;
    });
    return volumes.toSorted((a, b) => a.attributes.id - b.attributes.id);
  }

  /** From the top level down, so that nodes that volumes share at any level are read once. */
  async readNodes(volumes: readonly VolumeRecord[]): Promise<void> {
    const pending: Map<number, WantedPage>[] = [];
    for (let level = 0; level <= DEPTH_MAX; level += 1) pending.push(new Map());
    for (const { root, depth } of volumes) {
      if (root !== NO_POINTER) this.#want(pending, wantedPage(root, PageKind.node, depth, 0));
    }
    for (let level = DEPTH_MAX; level >= 1; level -= 1) {
      await this.#read([...(pending[level]?.values() ?? [])], (wanted, page) =>
        level === 1 ? this.#addLeaves(wanted, page) : this.#addNode(wanted, page, pending),
      );
    }
  }

  /** False: another parent means another version or place of it; then this one has nothing there. */
  #want(pending: readonly Map<number, WantedPage>[], wanted: WantedPage): boolean {
    const level = pending[wanted.level];
    const known = level?.get(wanted.block);
    if (known === undefined) level?.set(wanted.block, wanted);
    else if (known.crc !== wanted.crc || known.index !== wanted.index) {
      this.#note(nameOf(wanted), DIFFERENT_PARENTS);
      return false;
    }
    return true;
  }

  #addNode(
    { block, level, index }: WantedPage,
    page: Uint8Array,
    pending: readonly Map<number, WantedPage>[],
  ): FormatFault | null {
    const pointers = decodePointers(page);
    if (isFault(pointers)) return pointers;
    const children = pointers.map((pointer, place) => {
      if (pointer === null) return -1;
      const childIndex = index * NODE_POINTERS + place;
      const wanted = wantedPage(pointer, PageKind.node, level - 1, childIndex);
      return this.#want(pending, wanted) ? pointer.block : -1;
    });
    this.nodes.set(block, { level, index, children });
    return null;
  }

  #addLeaves({ block, index }: WantedPage, page: Uint8Array): FormatFault | null {
    const leaves = decodeLeafNode(page);
    if (isFault(leaves)) return leaves;
    const children = leaves.map((pointers, place) =>
      pointers === null ? -1 : this.#addLeaf({ pointers, index: index * NODE_LEAVES + place }),
    );
    this.nodes.set(block, { level: 1, index, children });
    return null;
  }

  #addLeaf(leaf: TreeLeaf): number {
    const { pointers } = leaf;
    const known = this.#leafByBlock.get(pointers.leaf.block);
    if (known !== undefined) {
      if (isSameLeaf(leaf, this.leaves[known])) return known;
      this.#note(`leaf ${leaf.index} (block ${pointers.leaf.block})`, DIFFERENT_PARENTS);
      return -1;
    }
    const number = this.leaves.length;
    this.leaves.push(leaf);
    this.#leafByBlock.set(pointers.leaf.block, number);
    this.blocks.push(pointers.leaf.block);
    if (pointers.bases !== null) this.blocks.push(pointers.bases.block);
    if (pointers.masks !== null) this.blocks.push(pointers.masks.block);
    return number;
  }

  async #read(
    wanted: readonly WantedPage[],
    decode: (wanted: WantedPage, page: Uint8Array) => FormatFault | null,
  ): Promise<void> {
    await readPages(this.#places, this.#poolUuid, wanted, (one, found) => {
      this.blocks.push(one.block);
      const fault = isFault(found) ? found : decode(one, found.page);
      if (fault !== null) this.#note(nameOf(one), fault);
    });
  }
}

function wantedPage(
  pointer: PagePointer,
  kind: PageKind,
  level: number,
  index: number,
): WantedPage {
  return { ...pointer, kind, level, index };
}
