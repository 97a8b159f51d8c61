import { BLOCK_BYTES } from "../format/geometry.ts";
import { NODE_POINTERS, VOLUMES_PER_PAGE } from "../format/layout.ts";
import { encodePointers } from "../format/node.ts";
import { PageKind } from "../format/page.ts";
import { type LeafPointers, NO_POINTER, type PagePointer } from "../format/pointer.ts";
import { encodeRoot } from "../format/root.ts";
import { encodeVolumesPage, type VolumeRecord } from "../format/volume-record.ts";
import type { CapturedLeaf } from "../map/captured-leaf.ts";
import type { CapturedNode } from "../map/captured-node.ts";
import type { Image } from "./image.ts";
import { LEAVES_WRITTEN_TOGETHER } from "./limits.ts";
import type { PageName, PageWriter } from "./page-writer.ts";

/** What a checkpoint has written besides leaves and nodes: all of it is written anew by the next one. */
export interface WrittenTop {
  readonly root: PagePointer;
  /** Volumes pages and directories. */
  readonly pages: readonly PagePointer[];
}

/** Writes the pages of a checkpoint, from the leaves up: a parent has the checksums of its children. @throws {IoError} {@throws PoolError} space */
export class TreeWriter {
  readonly #writer: PageWriter;
  readonly #page: Uint8Array = new Uint8Array(BLOCK_BYTES);
  readonly #top: PagePointer[] = [];

  constructor(writer: PageWriter) {
    this.#writer = writer;
  }

  async write(image: Image, rootBlock: number): Promise<WrittenTop> {
    await this.#writeLeaves(image);
    for (const node of image.maps.nodes) await this.#writeNode(node);
    const directories = await this.#writeVolumes(image);
    const { checkpointSeq, nextVolumeId, devices, segments, settings } = image;
    const volumeCount = image.maps.volumes.length;
    encodeRoot(this.#page, {
      checkpointSeq,
      nextVolumeId,
      volumeCount,
      devices,
      segments,
      settings,
      directories,
    });
    if (!this.#writer.hasRoom) await this.#writer.room();
    const name = { kind: PageKind.root, level: 0, volume: 0, index: 0 };
    const root = this.#writer.addAt(rootBlock, this.#page, name);
    await this.#writer.finish();
    return { root, pages: this.#top };
  }

  /** A leaf may be given up and read again as soon as it counts as written: so it is on the device before that. */
  async #writeLeaves({ maps: { leaves } }: Image): Promise<void> {
    for (let first = 0; first < leaves.length; first += LEAVES_WRITTEN_TOGETHER) {
      const some = leaves.slice(first, first + LEAVES_WRITTEN_TOGETHER);
      const pointers: LeafPointers[] = [];
      for (const leaf of some) pointers.push(await this.#writeLeaf(leaf));
      await this.#writer.finish();
      for (const [index, leaf] of some.entries()) {
        const written = pointers[index];
        if (written !== undefined) leaf.written(written);
      }
    }
  }

  async #writeLeaf(captured: CapturedLeaf): Promise<LeafPointers> {
    const { leaf: page, bases, masks } = captured.pages();
    const { volume, index } = captured;
    const place = { level: 0, volume, index };
    return {
      leaf: await this.#add(page, { ...place, kind: PageKind.leaf }),
      bases: bases === null ? null : await this.#add(bases, { ...place, kind: PageKind.bases }),
      masks: masks === null ? null : await this.#add(masks, { ...place, kind: PageKind.masks }),
    };
  }

  async #writeNode(node: CapturedNode): Promise<void> {
    const { level, index, volume } = node;
    node.written(await this.#add(node.page(), { kind: PageKind.node, level, index, volume }));
  }

  async #writeVolumes({ maps, ownedExtents }: Image): Promise<PagePointer[]> {
    const records = maps.volumes.map((volume, index): VolumeRecord => {
      const { attributes, mappedExtents, depth } = volume;
      const root = volume.root() ?? NO_POINTER;
      return { attributes, mappedExtents, ownedExtents: ownedExtents[index] ?? 0, depth, root };
    });
    const pages: PagePointer[] = [];
    for (const some of chunks(records, VOLUMES_PER_PAGE)) {
      encodeVolumesPage(this.#page, some);
      pages.push(await this.#addTop(PageKind.volumes, pages.length));
    }
    const directories: PagePointer[] = [];
    for (const some of chunks(pages, NODE_POINTERS)) {
      encodePointers(this.#page, some);
      directories.push(await this.#addTop(PageKind.directory, directories.length));
    }
    return directories;
  }

  async #addTop(kind: PageKind, index: number): Promise<PagePointer> {
    const pointer = await this.#add(this.#page, { kind, level: 0, volume: 0, index });
    this.#top.push(pointer);
    return pointer;
  }

  async #add(page: Uint8Array, name: PageName): Promise<PagePointer> {
    if (!this.#writer.hasRoom) await this.#writer.room();
    return this.#writer.add(page, name);
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let first = 0; first < items.length; first += size) {
    result.push(items.slice(first, first + size));
  }
  return result;
}
