import { readBytes } from "../../util/io-request.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { LEAF_ENTRIES, leavesUnder, NODE_LEAVES, NODE_POINTERS } from "../format/layout.ts";
import { decodeLeafNode, decodePointers } from "../format/node.ts";
import { PageKind } from "../format/page.ts";
import { type LeafPointers, NO_POINTER, type PagePointer } from "../format/pointer.ts";
import type { PoolSettings, VolumeAttributes } from "../format/records.ts";
import { decodeVolumesPage, type VolumeRecord } from "../format/volume-record.ts";
import type { LeafWords } from "../map/leaf-check.ts";
import { leafCountOf } from "./check-volumes.ts";
import { ExtentCounts } from "./extent-counts.ts";
import type { ExtentPlaces } from "./extent-places.ts";
import type { ScannedPage, ScannedPages } from "./page-scan.ts";
import { wordsOf } from "./read-leaves.ts";
import { leafFromPages, type LeafImage, type PoolImage, type VolumeImage } from "./pool-image.ts";

/** What a salvage begins with. */
export interface SalvageSource {
  readonly pages: ScannedPages;
  readonly places: ExtentPlaces;
  readonly settings: PoolSettings;
  /** Makes UUIDs for volumes of which only the maps are left. */
  readonly newUuid: () => string;
}

/**
 * Puts volumes together from pages that say what they are. Where a pointer's own page is there, it is taken; where it is lost, the newest of
 * its name, of the volume itself or of the one that it is a copy of. Every such place is noted: what is there can be older than the rest.
 */
export async function salvagePool(
  source: SalvageSource,
  note: (message: string) => void,
): Promise<PoolImage> {
  const salvage = new Salvage(source, note);
  const image: PoolImage = {
    places: source.places,
    settings: source.settings,
    nextVolumeId: 1,
    volumes: new Map(),
  };
  for (const record of await salvage.records()) {
    image.volumes.set(record.attributes.id, await salvage.volume(record));
  }
  for (const id of salvage.strays(image)) {
    image.volumes.set(id, await salvage.stray(id));
    note(`volume ${id} has lost its name and size: it is called "recovered-${id}"`);
  }
  for (const id of image.volumes.keys()) image.nextVolumeId = Math.max(image.nextVolumeId, id + 1);
  return image;
}

class Salvage {
  readonly #pages: ScannedPages;
  readonly #places: ExtentPlaces;
  readonly #newUuid: () => string;
  readonly #note: (message: string) => void;
  /** Judges leaves; what it counts does not matter here. */
  readonly #judge: ExtentCounts;
  readonly #leaves = new Map<number, LeafImage | null>();
  readonly #names = new Set<string>();

  constructor({ pages, places, newUuid }: SalvageSource, note: (message: string) => void) {
    this.#pages = pages;
    this.#places = places;
    this.#newUuid = newUuid;
    this.#note = note;
    this.#judge = new ExtentCounts(places);
  }

  /** The volumes that are known by name: of each the newest record. */
  async records(): Promise<VolumeRecord[]> {
    const pages = this.#pages.newestOf(PageKind.volumes);
    const byId = new Map<number, VolumeRecord>();
    for (const page of pages.toSorted((a, b) => a.header.generation - b.header.generation)) {
      const records = decodeVolumesPage(await this.#read(page));
      if (isFault(records)) continue;
      for (const record of records) byId.set(record.attributes.id, record);
    }
    return [...byId.values()].toSorted((a, b) => a.attributes.id - b.attributes.id);
  }

  async volume({ attributes, depth, root }: VolumeRecord): Promise<VolumeImage> {
    const leaves = new Map<number, LeafImage>();
    const owner = { id: attributes.id, originId: attributes.originId, name: attributes.name };
    if (root !== NO_POINTER) await this.#node(owner, depth, 0, root, leaves);
    const count = leafCountOf(attributes.sizeBytes, this.#places.geometry.extentBytes);
    for (const index of leaves.keys()) if (index >= count) leaves.delete(index);
    return { attributes: this.#named(attributes), leaves };
  }

  /** Ids that only leaves tell of. */
  strays(image: PoolImage): number[] {
    const ids = this.#pages.newestOf(PageKind.leaf).map(({ header }) => header.volume);
    // Leaves of a volume that is gone live on in its copies: only without any volume can they be one of their own.
    return image.volumes.size > 0 ? [] : [...new Set(ids)].toSorted((a, b) => a - b);
  }

  async stray(id: number): Promise<VolumeImage> {
    const leaves = new Map<number, LeafImage>();
    let last = 0;
    for (const { header } of this.#pages.newestOf(PageKind.leaf)) {
      if (header.volume !== id) continue;
      const owner = { id, originId: 0, name: `recovered-${id}` };
      await this.#leaf(owner, header.index, null, leaves);
      last = Math.max(last, header.index);
    }
    const attributes: VolumeAttributes = {
      id,
      uuid: this.#newUuid(),
      name: `recovered-${id}`,
      sizeBytes: (last + 1) * LEAF_ENTRIES * this.#places.geometry.extentBytes,
      readOnly: false,
      isSnapshot: false,
      originId: 0,
      createdAt: 0,
      reservedBytes: 0,
      quotaBytes: 0,
    };
    return { attributes, leaves };
  }

  /** Pages of two generations can hold two volumes of one name. */
  #named(attributes: VolumeAttributes): VolumeAttributes {
    const name = this.#names.has(attributes.name) ? `recovered-${attributes.id}` : attributes.name;
    this.#names.add(name);
    return { ...attributes, name };
  }

  async #node(
    owner: Owner,
    level: number,
    index: number,
    pointer: PagePointer | null,
    leaves: Map<number, LeafImage>,
  ): Promise<void> {
    const page = this.#find(owner, PageKind.node, level, index, pointer);
    const bytes = page === undefined ? null : await this.#read(page);
    if (level === 1) {
      const found = bytes === null ? null : decodeLeafNode(bytes);
      const children = found === null || isFault(found) ? null : found;
      for (let place = 0; place < NODE_LEAVES; place += 1) {
        const child = children?.[place] ?? null;
        if (children === null || child !== null) {
          await this.#leaf(owner, index * NODE_LEAVES + place, child, leaves);
        }
      }
      return;
    }
    const found = bytes === null ? null : decodePointers(bytes);
    const children = found === null || isFault(found) ? null : found;
    for (let place = 0; place < NODE_POINTERS; place += 1) {
      const child = children?.[place] ?? null;
      const childIndex = index * NODE_POINTERS + place;
      if (children === null ? this.#hasLeavesUnder(owner, level - 1, childIndex) : child !== null) {
        await this.#node(owner, level - 1, childIndex, child, leaves);
      }
    }
  }

  /** Whether it is worth to go down without a node: the tree is wide. */
  #hasLeavesUnder({ id, originId }: Owner, level: number, index: number): boolean {
    const first = index * leavesUnder(level);
    const end = first + leavesUnder(level);
    return this.#pages.newestOf(PageKind.leaf).some(({ header }) => {
      const isOurs = header.volume === id || header.volume === originId;
      return isOurs && header.index >= first && header.index < end;
    });
  }

  async #leaf(
    owner: Owner,
    index: number,
    pointers: LeafPointers | null,
    leaves: Map<number, LeafImage>,
  ): Promise<void> {
    const page = this.#find(owner, PageKind.leaf, 0, index, pointers?.leaf ?? null);
    if (page === undefined) return;
    const isExact = page.header.block === pointers?.leaf.block;
    const known = this.#leaves.get(page.header.block);
    const leaf =
      known === undefined ? await this.#readLeaf(page, isExact ? pointers : null) : known;
    this.#leaves.set(page.header.block, leaf);
    if (leaf === null) this.#note(`leaf ${index} of volume "${owner.name}" cannot be used`);
    else leaves.set(index, leaf);
  }

  /** Null: its entries, or its side pages, cannot be. */
  async #readLeaf(page: ScannedPage, pointers: LeafPointers | null): Promise<LeafImage | null> {
    const { volume, index } = page.header;
    const side = (
      kind: PageKind,
      pointer: PagePointer | null | undefined,
    ): ScannedPage | undefined =>
      pointers === null
        ? this.#pages.newest(kind, 0, volume, index)
        : this.#exact(kind, 0, index, pointer ?? NO_POINTER);
    const bases = side(PageKind.bases, pointers?.bases);
    const masks = side(PageKind.masks, pointers?.masks);
    const words: LeafWords = {
      leaf: wordsOf(await this.#read(page)),
      bases: bases === undefined ? null : wordsOf(await this.#read(bases)),
      masks: masks === undefined ? null : wordsOf(await this.#read(masks)),
    };
    const { complaint, partial } = this.#judge.countLeaf(words);
    if (complaint !== null) return null;
    return leafFromPages(partial === 0 ? { ...words, bases: null, masks: null } : words);
  }

  #find(
    { id, originId, name }: Owner,
    kind: PageKind,
    level: number,
    index: number,
    pointer: PagePointer | null,
  ): ScannedPage | undefined {
    const exact = pointer === null ? undefined : this.#exact(kind, level, index, pointer);
    if (exact !== undefined) return exact;
    const what = `${kind === PageKind.leaf ? "leaf" : `node of level ${level},`} ${index} of volume "${name}"`;
    const other =
      this.#pages.newest(kind, level, id, index) ??
      this.#pages.newest(kind, level, originId, index);
    if (other !== undefined) {
      this.#note(
        `${what}: taken as of generation ${other.header.generation}, its own page is lost`,
      );
    } else if (pointer !== null) {
      this.#note(`${what} is lost`);
    }
    return other;
  }

  /** The page that is meant, if it says so itself: a node that is its own child would go on for longer than anybody waits. */
  #exact(
    kind: PageKind,
    level: number,
    index: number,
    pointer: PagePointer,
  ): ScannedPage | undefined {
    const page = this.#pages.at(pointer);
    const header = page?.header;
    const isMeant = header?.kind === kind && header.level === level && header.index === index;
    return isMeant ? page : undefined;
  }

  #read({ header }: ScannedPage): Promise<Buffer> {
    const { device, offsetBytes } = this.#places.placeOfBlock(header.block);
    if (device === null) return Promise.resolve(Buffer.alloc(BLOCK_BYTES));
    return readBytes(device, offsetBytes, BLOCK_BYTES);
  }
}

interface Owner {
  readonly id: number;
  readonly originId: number;
  readonly name: string;
}
