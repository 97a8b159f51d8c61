import type { Clock } from "../../util/clock.ts";
import type { Geometry } from "../format/geometry.ts";
import { NODE_POINTERS, VOLUMES_PER_PAGE } from "../format/layout.ts";
import type { PoolDevice, PoolSettings, VolumeAttributes } from "../format/records.ts";
import type { AddressSpace } from "../space/address-space.ts";
import { Space } from "../space/space.ts";
import type { LeafReader } from "./leaf-store.ts";
import { LeafStore } from "./leaf-store.ts";
import { VolumeState } from "./volume-state.ts";

/** The one that is being written, the last, and the one before it (rule L). */
const CHECKPOINTS_KEPT = 3;

export interface PoolStateOptions {
  readonly addresses: AddressSpace;
  readonly reader: LeafReader;
  /** How much memory map pages may take, in bytes. */
  readonly leafMemoryBytesMax: number;
  readonly clock: Clock;
  readonly settings: PoolSettings;
  readonly devices: readonly PoolDevice[];
  readonly nextVolumeId: number;
}

/** Everything that a record can change. Nothing can be allocated before `deriveSpace` has counted it through. */
export class PoolState {
  readonly geometry: Geometry;
  readonly addresses: AddressSpace;
  readonly leaves: LeafStore;
  readonly space: Space;
  readonly clock: Clock;
  readonly volumes: Map<number, VolumeState> = new Map();
  nextVolumeId: number;
  settings: PoolSettings;
  devices: readonly PoolDevice[];

  constructor(options: PoolStateOptions) {
    const { addresses } = options;
    this.geometry = addresses.geometry;
    this.addresses = addresses;
    this.clock = options.clock;
    this.leaves = new LeafStore({
      geometry: addresses.geometry,
      reader: options.reader,
      memoryBytesMax: options.leafMemoryBytesMax,
      extents: () => addresses.extentCount,
    });
    this.space = new Space(addresses, this.leaves, options.clock);
    // Root, directories and volumes pages; all of them are written by every checkpoint, and three of those take places.
    this.space.topPages = () => {
      const pages = Math.ceil((this.volumes.size + 1) / VOLUMES_PER_PAGE);
      return CHECKPOINTS_KEPT * (pages + Math.ceil(pages / NODE_POINTERS));
    };
    this.settings = options.settings;
    this.devices = options.devices;
    this.nextVolumeId = options.nextVolumeId;
  }

  /** A new volume with an empty map, of a record or of the checkpoint. */
  addVolume(attributes: VolumeAttributes): VolumeState {
    const volume = new VolumeState(this.geometry, this.leaves, this.space.reservations, attributes);
    this.volumes.set(attributes.id, volume);
    return volume;
  }

  volumeByName(name: string): VolumeState | undefined {
    return this.#find((attributes) => attributes.name === name);
  }

  volumeByUuid(uuid: string): VolumeState | undefined {
    return this.#find((attributes) => attributes.uuid === uuid);
  }

  #find(matches: (attributes: VolumeAttributes) => boolean): VolumeState | undefined {
    for (const volume of this.volumes.values()) if (matches(volume.attributes)) return volume;
    return undefined;
  }
}
