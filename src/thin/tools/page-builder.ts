import { assert } from "../../util/assert.ts";
import { writeBytes } from "../../util/io-request.ts";
import { setUint32LE } from "../../util/little-endian.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import {
  depthFor,
  NODE_LEAVES,
  NODE_POINTERS,
  PAGE_HEADER_BYTES,
  VOLUMES_PER_PAGE,
} from "../format/layout.ts";
import { encodeLeafNode, encodePointers } from "../format/node.ts";
import { type PageHeader, PageKind, sealPage } from "../format/page.ts";
import { type LeafPointers, NO_POINTER, type PagePointer } from "../format/pointer.ts";
import { encodeVolumesPage, type VolumeRecord } from "../format/volume-record.ts";
import { leafCountOf } from "./check-volumes.ts";
import type { ExtentPlaces } from "./extent-places.ts";
import type { LeafImage, PoolImage, VolumeImage } from "./pool-image.ts";

/** Writes the pages of a new pool one after the other, from a first block on. */
export class PageBuilder {
  readonly #places: ExtentPlaces;
  readonly #poolUuid: string;
  readonly #generation: number;
  readonly #leaves = new Map<LeafImage, LeafPointers>();
  /** Nodes by what is in them: volumes that are alike share them. */
  readonly #nodes = new Map<string, PagePointer>();
  #nextBlock: number;

  constructor(places: ExtentPlaces, poolUuid: string, generation: number, firstBlock: number) {
    this.#places = places;
    this.#poolUuid = poolUuid;
    this.#generation = generation;
    this.#nextBlock = firstBlock;
  }

  /** The first extent behind all pages. */
  get endExtent(): number {
    return Math.ceil(this.#nextBlock / this.#places.geometry.blocksPerExtent);
  }

  /** Writes leaves, nodes, volumes pages and directories; returns the places of the directories. `moved` is asked for each leaf. */
  async writeVolumes(
    image: PoolImage,
    moved: (leaf: LeafImage) => LeafImage,
  ): Promise<PagePointer[]> {
    const records: VolumeRecord[] = [];
    for (const volume of image.volumes.values())
      records.push(await this.#writeVolume(volume, moved));
    const pages: PagePointer[] = [];
    for (let at = 0; at < records.length; at += VOLUMES_PER_PAGE) {
      const header = { kind: PageKind.volumes, index: pages.length };
      const some = records.slice(at, at + VOLUMES_PER_PAGE);
      pages.push(await this.write(header, (page) => encodeVolumesPage(page, some)));
    }
    const directories: PagePointer[] = [];
    for (let at = 0; at < pages.length; at += NODE_POINTERS) {
      const header = { kind: PageKind.directory, index: directories.length };
      const some = pages.slice(at, at + NODE_POINTERS);
      directories.push(await this.write(header, (page) => encodePointers(page, some)));
    }
    return directories;
  }

  async #writeVolume(
    { attributes, leaves }: VolumeImage,
    moved: (leaf: LeafImage) => LeafImage,
  ): Promise<VolumeRecord> {
    const { extentBytes } = this.#places.geometry;
    const leafCount = leafCountOf(attributes.sizeBytes, extentBytes);
    let mappedExtents = 0;
    const byIndex: (LeafPointers | null)[] = [];
    const indexes = [...leaves.keys()].filter((index) => index < leafCount);
    for (const index of indexes.toSorted((a, b) => a - b)) {
      const leaf = moved(leaves.get(index)!);
      mappedExtents += leaf.words.reduce((sum, word) => sum + (word === 0 ? 0 : 1), 0);
      byIndex[index] = await this.#writeLeaf(leaf, attributes.id, index);
    }
    const depth = depthFor(leafCount);
    const root = await this.#writeNodes(byIndex, attributes.id, depth);
    return { attributes, mappedExtents, ownedExtents: mappedExtents, depth, root };
  }

  async #writeLeaf(leaf: LeafImage, volume: number, index: number): Promise<LeafPointers> {
    const known = this.#leaves.get(leaf);
    if (known !== undefined) return known;
    const put = (kind: PageKind, words: Uint32Array): Promise<PagePointer> =>
      this.write({ kind, volume, index }, (page) => {
        for (const [slot, word] of words.entries()) {
          setUint32LE(page, PAGE_HEADER_BYTES + 4 * slot, word);
        }
      });
    const { words, bases, masks } = leaf;
    const pointers = {
      leaf: await put(PageKind.leaf, words),
      bases: bases === null ? null : await put(PageKind.bases, bases),
      masks: masks === null ? null : await put(PageKind.masks, masks),
    };
    this.#leaves.set(leaf, pointers);
    return pointers;
  }

  /** Level by level, of a sparse list of leaves; none where nothing is mapped. */
  async #writeNodes(
    leaves: readonly (LeafPointers | null)[],
    volume: number,
    depth: number,
  ): Promise<PagePointer> {
    let children = await this.#writeLevel(leaves, NODE_LEAVES, async (index, some) => {
      const key = `1 ${index} ${some.map((pointers) => pointers?.leaf.block ?? 0).join(" ")}`;
      return this.#writeNode(key, { level: 1, volume, index }, (page) =>
        encodeLeafNode(page, some),
      );
    });
    for (let level = 2; level <= depth; level += 1) {
      children = await this.#writeLevel(children, NODE_POINTERS, async (index, some) => {
        const key = `${level} ${index} ${some.map((pointer) => pointer?.block ?? 0).join(" ")}`;
        return this.#writeNode(key, { level, volume, index }, (page) => encodePointers(page, some));
      });
    }
    return children[0] ?? NO_POINTER;
  }

  async #writeLevel<Child>(
    children: readonly (Child | null)[],
    perNode: number,
    put: (index: number, some: (Child | null)[]) => Promise<PagePointer>,
  ): Promise<(PagePointer | null)[]> {
    const nodes: (PagePointer | null)[] = [];
    for (let at = 0; at < children.length; at += perNode) {
      // Places of a sparse list that were never set are undefined.
      const some = Array.from(children.slice(at, at + perNode), (child) => child ?? null);
      const isEmpty = some.every((child) => child === null);
      nodes.push(isEmpty ? null : await put(at / perNode, some));
    }
    return nodes;
  }

  async #writeNode(
    key: string,
    header: Pick<PageHeader, "level" | "volume" | "index">,
    fill: (page: Uint8Array) => void,
  ): Promise<PagePointer> {
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const pointer = await this.write({ ...header, kind: PageKind.node }, fill);
    this.#nodes.set(key, pointer);
    return pointer;
  }

  /** One page, to the next block, or where the header says. */
  async write(
    header: Partial<PageHeader> & Pick<PageHeader, "kind">,
    fill: (page: Uint8Array) => void,
  ): Promise<PagePointer> {
    const block = header.block ?? this.#nextBlock;
    if (header.block === undefined) this.#nextBlock += 1;
    const page = new Uint8Array(BLOCK_BYTES);
    fill(page);
    const name = { level: 0, volume: 0, index: 0, ...header, block, generation: this.#generation };
    const crc = sealPage(page, this.#poolUuid, name);
    const { device, offsetBytes } = this.#places.placeOfBlock(block);
    assert(device !== null, "the new pool has all its devices");
    await writeBytes(device, offsetBytes, page);
    return { block, crc };
  }
}
