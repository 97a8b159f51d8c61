import type { Geometry } from "../format/geometry.ts";
import type { VolumeAttributes } from "../format/records.ts";
import type { Reservations } from "../space/reservations.ts";
import type { LeafStore } from "./leaf-store.ts";
import { VolumeMap } from "./volume-map.ts";

/** A volume as records make it: attributes, map, and how much it maps. The object stays the same for the volume's life. */
export class VolumeState {
  readonly map: VolumeMap;
  /** Entries of the map that are not holes. */
  mappedExtents = 0;
  readonly #geometry: Geometry;
  readonly #reservations: Reservations;
  #attributes: VolumeAttributes;
  #ownedExtents = 0;
  #lostExtents = 0;
  #outstandingExtents = 0;

  constructor(
    geometry: Geometry,
    leaves: LeafStore,
    reservations: Reservations,
    attributes: VolumeAttributes,
  ) {
    this.#geometry = geometry;
    this.#reservations = reservations;
    this.#attributes = attributes;
    this.map = new VolumeMap(leaves, extentsFor(geometry, attributes.sizeBytes));
    this.#settle();
  }

  get attributes(): VolumeAttributes {
    return this.#attributes;
  }

  set attributes(attributes: VolumeAttributes) {
    this.#attributes = attributes;
    this.#settle();
  }

  get id(): number {
    return this.#attributes.id;
  }

  /** Extents that it mapped since it was copied last, and shares with nobody, as far as that is known: what its reservation has paid for. */
  get ownedExtents(): number {
    return this.#ownedExtents;
  }

  set ownedExtents(extents: number) {
    this.#lostExtents += Math.max(0, this.#ownedExtents - extents);
    this.#ownedExtents = Math.max(0, extents);
    this.#settle();
  }

  /** By how much `ownedExtents` has become less, all in all: for those who count it while it changes. */
  get lostExtents(): number {
    return this.#lostExtents;
  }

  /** What it was promised and has not taken. */
  get outstandingExtents(): number {
    return this.#outstandingExtents;
  }

  /** The volume is gone, and what it was promised with it. */
  forgetReservation(): void {
    this.attributes = { ...this.#attributes, reservedBytes: 0 };
  }

  #settle(): void {
    const reserved = Math.ceil(this.#attributes.reservedBytes / this.#geometry.extentBytes);
    const outstanding = Math.max(0, reserved - this.#ownedExtents);
    this.#reservations.outstandingExtents += outstanding - this.#outstandingExtents;
    this.#outstandingExtents = outstanding;
  }
}

/** Extents that a volume of so many bytes has. */
export function extentsFor(geometry: Geometry, sizeBytes: number): number {
  return Math.ceil(sizeBytes / geometry.extentBytes);
}
