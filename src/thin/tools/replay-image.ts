import type { FoundBlock } from "../checkpoint/journal-scan.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { LEAF_ENTRIES, PARTIAL_FLAG } from "../format/layout.ts";
import type { JournalRecord, VolumeAttributes } from "../format/records.ts";
import { ExtentPlaces } from "./extent-places.ts";
import type { LocatedPool } from "./locate-pool.ts";
import {
  copyLeaf,
  type LeafImage,
  newLeaf,
  type PoolImage,
  type VolumeImage,
} from "./pool-image.ts";
import type { PoolTree } from "./pool-tree.ts";

type MapRecord = Extract<JournalRecord, { kind: "map" | "partial" | "unmap" }>;

/** Where extents lie after all records of the blocks, those of devices that they add among them. */
export function placesWith(
  pool: LocatedPool,
  { root, superblock }: PoolTree,
  blocks: readonly FoundBlock[],
): ExtentPlaces {
  const uuids = root.devices.map(({ uuid }) => uuid);
  const segments = [...root.segments];
  for (const record of blocks.flatMap(({ records }) => records)) {
    if (record.kind === "add-device") uuids.push(record.device.uuid);
    if (record.kind === "add-device" || record.kind === "grow-device")
      segments.push(record.segment);
  }
  const members = uuids.map((uuid) => pool.deviceByUuid.get(uuid) ?? null);
  return new ExtentPlaces(superblock.extentBytes, segments, members);
}

/** Carries records out on an image, written apart from the engine's own replay. */
export class ImageReplay {
  readonly #image: PoolImage;
  /** Whose copies of leaves were made here: others may be shared, and are copied first. */
  readonly #owners = new Map<LeafImage, VolumeImage>();

  constructor(image: PoolImage) {
    this.#image = image;
  }

  /** In words what is wrong with a record that cannot be; null: it is done. */
  apply(record: JournalRecord): string | null {
    switch (record.kind) {
      case "map":
      case "partial":
      case "unmap":
        return this.#withVolume(record.volume, (volume) => this.#map(volume, record));
      case "create":
        return this.#create(record.attributes, new Map());
      case "snapshot":
        return this.#withVolume(record.source, ({ leaves }) => {
          this.#owners.clear();
          return this.#create(record.attributes, new Map(leaves));
        });
      case "rollback":
        return this.#rollback(record.volume, record.source);
      case "resize":
        return this.#withVolume(record.volume, (volume) => this.#resize(volume, record.sizeBytes));
      case "delete":
        return this.#withVolume(record.volume, () => {
          this.#image.volumes.delete(record.volume);
          return null;
        });
      case "attributes":
        return this.#withVolume(record.attributes.id, (volume) => {
          const { uuid, sizeBytes, originId } = volume.attributes;
          volume.attributes = { ...record.attributes, uuid, sizeBytes, originId };
          return null;
        });
      case "settings":
        this.#image.settings = record.settings;
        return null;
      case "add-device":
      case "grow-device":
      case "virgin":
      case "barrier":
        // What they add or vouch for is no part of a map.
        return null;
      default:
        return record satisfies never;
    }
  }

  #withVolume(id: number, change: (volume: VolumeImage) => string | null): string | null {
    const volume = this.#image.volumes.get(id);
    return volume === undefined ? `there is no volume ${id}` : change(volume);
  }

  #create(attributes: VolumeAttributes, leaves: Map<number, LeafImage>): string | null {
    const { volumes } = this.#image;
    if (volumes.has(attributes.id)) return `there is a volume ${attributes.id}`;
    volumes.set(attributes.id, { attributes, leaves });
    this.#image.nextVolumeId = Math.max(this.#image.nextVolumeId, attributes.id + 1);
    return null;
  }

  #rollback(id: number, sourceId: number): string | null {
    return this.#withVolume(id, (volume) =>
      this.#withVolume(sourceId, (source) => {
        this.#owners.clear();
        const { sizeBytes } = source.attributes;
        volume.attributes = { ...volume.attributes, sizeBytes };
        volume.leaves = new Map(source.leaves);
        return null;
      }),
    );
  }

  #resize(volume: VolumeImage, sizeBytes: number): string | null {
    const { extentBytes } = this.#image.places.geometry;
    const before = Math.ceil(volume.attributes.sizeBytes / extentBytes);
    const after = Math.ceil(sizeBytes / extentBytes);
    volume.attributes = { ...volume.attributes, sizeBytes };
    if (after < before) this.#unmap(volume, after, before - after);
    return null;
  }

  #map(volume: VolumeImage, record: MapRecord): string | null {
    if (record.kind === "unmap") {
      this.#unmap(volume, record.lext, record.run);
      return null;
    }
    const run = record.kind === "map" ? record.run : 1;
    const { extentCount, geometry } = this.#image.places;
    if (record.phys + run > extentCount) return `there is no extent ${record.phys}`;
    if (record.kind === "partial") {
      const { phys, base, mask } = record;
      if (base >= extentCount || base === phys) return `extent ${phys} has base ${base}`;
      if (mask >= geometry.fullMask) return `extent ${phys} has mask ${mask}`;
    }
    const leaf = this.#ownLeaf(volume, Math.floor(record.lext / LEAF_ENTRIES));
    const slot = record.lext % LEAF_ENTRIES;
    if (record.kind === "map") {
      for (let step = 0; step < run; step += 1) leaf.words[slot + step] = record.phys + step + 1;
      return null;
    }
    leaf.bases ??= new Uint32Array(LEAF_ENTRIES);
    leaf.masks ??= new Uint32Array(LEAF_ENTRIES);
    leaf.words[slot] = PARTIAL_FLAG + record.phys + 1;
    leaf.masks[slot] = record.mask;
    leaf.bases[slot] = record.base === NO_EXTENT ? 0 : record.base + 1;
    return null;
  }

  #unmap(volume: VolumeImage, lext: number, run: number): void {
    const end = lext + run;
    // Deleting a key, or setting one that is there, does not disturb the walk.
    for (const index of volume.leaves.keys()) {
      const first = index * LEAF_ENTRIES;
      if (first >= end || first + LEAF_ENTRIES <= lext) continue;
      if (first >= lext && first + LEAF_ENTRIES <= end) {
        volume.leaves.delete(index);
        continue;
      }
      const from = Math.max(0, lext - first);
      this.#ownLeaf(volume, index).words.fill(0, from, Math.min(LEAF_ENTRIES, end - first));
    }
  }

  #ownLeaf(volume: VolumeImage, index: number): LeafImage {
    const leaf = volume.leaves.get(index);
    if (leaf !== undefined && this.#owners.get(leaf) === volume) return leaf;
    const own = leaf === undefined ? newLeaf() : copyLeaf(leaf);
    volume.leaves.set(index, own);
    this.#owners.set(own, volume);
    return own;
  }
}
