import type { BlockDevice } from "../../device/block-device.ts";
import type { Grower } from "./auto-growth.ts";

export interface ImageGrowerOptions {
  /** Index of the image's device in the pool. */
  readonly device: number;
  readonly image: Pick<BlockDevice, "capacityBytes">;
  /** The image is not grown past this, in bytes. */
  readonly maxBytes: number;
  /** Makes the file this large, in bytes; what it gains is a hole. */
  resize(sizeBytes: number): Promise<void>;
}

/** Each step is at least this share of what is there, so that the pool's table of segments lasts. */
const STEP_SHARE_MIN = 1 / 8;

/** Grows an image file, up to a size. */
export function imageGrower(options: ImageGrowerOptions): Grower {
  return async (bytesWanted) => {
    const { device, image, maxBytes } = options;
    const step = Math.max(bytesWanted, Math.ceil(image.capacityBytes * STEP_SHARE_MIN));
    const sizeBytes = Math.min(image.capacityBytes + step, maxBytes);
    if (sizeBytes <= image.capacityBytes) return { kind: "exhausted" };
    await options.resize(sizeBytes);
    return { kind: "grown", device, isZero: true };
  };
}

export interface SpareDevice {
  readonly device: BlockDevice;
  /** Lower-case UUID for its label. */
  readonly uuid: string;
}

/** Adds spare devices, in their order. A device is spent when the pool has been asked to take it. */
export function spareGrower(spares: readonly SpareDevice[]): Grower {
  const left = [...spares];
  return () => {
    const spare = left.shift();
    if (spare === undefined) return Promise.resolve({ kind: "exhausted" });
    return Promise.resolve({ kind: "device", ...spare, isZero: false });
  };
}

/** Runs an operator's command, which makes one of the pool's devices larger; `run` rejects where the command fails. */
export function commandGrower(device: number, run: (bytesWanted: number) => Promise<void>): Grower {
  return async (bytesWanted) => {
    await run(bytesWanted);
    return { kind: "grown", device, isZero: false };
  };
}
