import type { BlockDevice } from "../../device/block-device.ts";
import { type FormatFault, isFault } from "../format/fault.ts";
import { decodeLeafNode, decodePointers } from "../format/node.ts";
import { PageKind } from "../format/page.ts";
import type { PagePointer } from "../format/pointer.ts";
import type { Superblock } from "../format/superblock.ts";
import { decodeVolumesPage } from "../format/volume-record.ts";
import type { PoolState } from "../map/pool-state.ts";
import { PagePlaces } from "./page-place.ts";
import { PageReader } from "./page-reader.ts";
import { readRoot } from "./tree-reader.ts";

interface OlderTreeOptions {
  readonly devices: readonly BlockDevice[];
  /** Of the newer checkpoint. */
  readonly state: PoolState;
  /** The blocks of the newer checkpoint's pages; those that are found are added. */
  readonly known: Set<number>;
}

/**
 * The blocks that a checkpoint uses and a newer one does not. What they share is passed over with all that is below it; what cannot be read
 * keeps nothing, since it is no way back.
 */
export async function findOlderPages(
  superblock: Superblock,
  { devices, state, known }: OlderTreeOptions,
): Promise<readonly number[]> {
  const { poolUuid, poolName } = superblock;
  const reader = new PageReader(
    new PagePlaces(state.addresses, state.geometry),
    poolUuid,
    poolName,
  );
  const tree = new OlderTree(reader, known);
  const root = await readRoot(superblock, devices, state.geometry).catch(() => null);
  for (const directory of root?.directories ?? []) await tree.addDirectory(directory);
  return tree.blocks;
}

class OlderTree {
  readonly blocks: number[] = [];
  readonly #reader: PageReader;
  readonly #known: Set<number>;

  constructor(reader: PageReader, known: Set<number>) {
    this.#reader = reader;
    this.#known = known;
  }

  async addDirectory(directory: PagePointer): Promise<void> {
    const page = await this.#open(directory, PageKind.directory);
    for (const pointer of childrenOf(page, decodePointers)) {
      const volumes = await this.#open(pointer, PageKind.volumes);
      for (const { root, depth } of childrenOf(volumes, decodeVolumesPage)) {
        if (root.block !== 0) await this.#addNode(root, depth);
      }
    }
  }

  async #addNode(pointer: PagePointer, level: number): Promise<void> {
    const page = await this.#open(pointer, PageKind.node, level);
    if (level > 1) {
      for (const child of childrenOf(page, decodePointers)) await this.#addNode(child, level - 1);
      return;
    }
    for (const { leaf, bases, masks } of childrenOf(page, decodeLeafNode)) {
      for (const one of [leaf, bases, masks]) if (one !== null) this.#add(one);
    }
  }

  /** Null where there is nothing to be found below. */
  async #open(pointer: PagePointer, kind: PageKind, level: number = 0): Promise<Uint8Array | null> {
    if (!this.#add(pointer)) return null;
    return this.#reader.page(pointer, kind, level).catch(() => null);
  }

  #add({ block }: PagePointer): boolean {
    if (this.#known.has(block)) return false;
    this.#known.add(block);
    this.blocks.push(block);
    return true;
  }
}

function childrenOf<Child>(
  page: Uint8Array | null,
  decode: (page: Uint8Array) => (Child | null)[] | FormatFault,
): Child[] {
  const children = page === null ? [] : decode(page);
  if (isFault(children)) return [];
  return children.filter((child) => child !== null);
}
