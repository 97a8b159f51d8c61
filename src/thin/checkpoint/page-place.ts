import type { BlockDevice } from "../../device/block-device.ts";
import { BLOCK_BYTES, type Geometry } from "../format/geometry.ts";

/** Where extents lie; of the pool's address space, what pages need. */
export interface ExtentPlaces {
  readonly extentCount: number;
  deviceOf(phys: number): BlockDevice;
  /** Bytes from the start of the device. */
  offsetOf(phys: number): number;
}

/** Turns numbers of metadata blocks into places on devices. */
export class PagePlaces {
  readonly #extents: ExtentPlaces;
  readonly #blocksPerExtent: number;

  constructor(extents: ExtentPlaces, geometry: Geometry) {
    this.#extents = extents;
    this.#blocksPerExtent = geometry.blocksPerExtent;
  }

  /** Whether there is such a block; 0 stands for none. */
  has(block: number): boolean {
    return block > 0 && block < this.#extents.extentCount * this.#blocksPerExtent;
  }

  deviceOf(block: number): BlockDevice {
    return this.#extents.deviceOf(Math.floor(block / this.#blocksPerExtent));
  }

  /** Bytes from the start of the device. */
  offsetOf(block: number): number {
    const phys = Math.floor(block / this.#blocksPerExtent);
    const inExtent = block - phys * this.#blocksPerExtent;
    return this.#extents.offsetOf(phys) + inExtent * BLOCK_BYTES;
  }
}
