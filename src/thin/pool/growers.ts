import type { BlockDevice } from "../../device/block-device.ts";
import type { Grower, Growth, GrowthNeed, NewMember } from "./auto-growth.ts";

/** Each step is at least this share of what is there, so that the pool's table of segments lasts. */
const STEP_SHARE_MIN = 1 / 8;

/** How much to ask for: what is wanted, or a share of what is there, but no more than there is room for. Bytes. */
export function stepOf(bytesWanted: number, presentBytes: number, roomBytes: number): number {
  const step = Math.max(bytesWanted, Math.ceil(presentBytes * STEP_SHARE_MIN));
  return Math.max(0, Math.min(step, roomBytes));
}

export interface ImageGrowerOptions {
  /** Index of the image's device in the pool. */
  readonly device: number;
  readonly image: Pick<BlockDevice, "capacityBytes">;
  /** By how much the pool may become larger yet, in bytes. */
  readonly roomBytes: () => number;
  /** Makes the file this large, in bytes; what it gains is a hole. */
  readonly resize: (sizeBytes: number) => Promise<void>;
}

/** Grows an image file. */
export function imageGrower(options: ImageGrowerOptions): Grower {
  return async ({ bytesWanted }) => {
    const { device, image, roomBytes } = options;
    const step = stepOf(bytesWanted, image.capacityBytes, roomBytes());
    if (step === 0) return [];
    await options.resize(image.capacityBytes + step);
    return [{ kind: "grown", device, isZero: true }];
  };
}

export interface SpareGrowerOptions {
  /** Paths of devices that nobody uses, in the order in which they are to be taken. */
  readonly paths: readonly string[];
  /** True for those that the pool has by now. */
  readonly isMember: (path: string) => Promise<boolean>;
  /** Makes sure that nothing is on the device, and takes it for this process. Rejects where that cannot be. */
  readonly claim: (path: string) => Promise<NewMember>;
}

/** Adds spare devices, one at a time. One that is refused is tried again the next time: somebody may have seen to it. */
export function spareGrower({ paths, isMember, claim }: SpareGrowerOptions): Grower {
  return async () => {
    const refusals: unknown[] = [];
    for (const path of paths) {
      if (await isMember(path)) continue;
      try {
        return [{ kind: "device", ...(await claim(path)) }];
      } catch (error) {
        refusals.push(error);
      }
    }
    if (refusals.length > 0) throw refusals[0];
    return [];
  };
}

export interface CommandGrowerOptions {
  /** What the devices of the pool have together, in bytes. */
  readonly presentBytes: () => number;
  /** By how much the pool may become larger yet, in bytes. */
  readonly roomBytes: () => number;
  /** Runs the command to its end; resolves with the paths that it names. Rejects where it fails. */
  readonly run: (need: GrowthNeed) => Promise<readonly string[]>;
  /** Asks all devices of the pool for their sizes; resolves with the indexes of those that have gained enough to be of use. */
  readonly refresh: () => Promise<readonly number[]>;
  readonly isMember: (path: string) => Promise<boolean>;
  readonly claim: (path: string) => Promise<NewMember>;
}

/** Has an operator's command make room: devices of the pool that are larger afterwards, and others that it names. */
export function commandGrower(options: CommandGrowerOptions): Grower {
  return async ({ bytesWanted, freeBytes, signal }) => {
    const step = stepOf(bytesWanted, options.presentBytes(), options.roomBytes());
    if (step === 0) return [];
    const paths = await options.run({ bytesWanted: step, freeBytes, signal });
    const grown = await options.refresh();
    const growths: Growth[] = grown.map((device) => ({ kind: "grown", device, isZero: false }));
    try {
      for (const path of new Set(paths)) {
        if (await options.isMember(path)) continue;
        growths.push({ kind: "device", ...(await options.claim(path)) });
      }
    } catch (error) {
      for (const growth of growths) if (growth.kind === "device") await growth.settled(false);
      throw error;
    }
    return growths;
  };
}

/** Asks one after the other until one has something. One that fails does not keep the others from being asked. */
export function firstOf(growers: readonly Grower[]): Grower {
  return async (need) => {
    const failures: unknown[] = [];
    for (const grower of growers) {
      try {
        const growths = await grower(need);
        if (growths.length > 0) return growths;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return [];
  };
}
