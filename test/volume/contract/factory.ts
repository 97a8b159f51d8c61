import { afterEach, beforeEach } from "vitest";
import type { VolumeDriver, VolumeSpec } from "../../../src/volume/volume-driver.ts";
import type { Volume, VolumeCapabilities } from "../../../src/volume/volume.ts";

/** A driver in a place of its own, with room for some volumes. */
export interface VolumeHarness {
  readonly driver: VolumeDriver;
  /** Describes the volume of this name; the same name is the same place. */
  readonly spec: (name: string, sizeBytes?: number) => VolumeSpec;
  /** Called when all volumes are closed. */
  readonly dispose: () => Promise<void>;
}

/** How the contract gets at a driver. */
export interface VolumeFactory {
  /** What the driver and its writable volumes say that they can do: the manifest is a part of the contract. */
  readonly driver: VolumeDriver["capabilities"];
  readonly volume: Partial<VolumeCapabilities>;
  /** Sizes are given in these, and so is growth. */
  readonly sizeStepBytes: number;
  prepare(): Promise<VolumeHarness>;
}

/** The volumes of one test: what it opens is closed after it. */
export interface Bench {
  readonly harness: VolumeHarness;
  create(name: string, sizeBytes: number): Promise<VolumeSpec>;
  open(spec: VolumeSpec): Promise<Volume>;
  /** Creates and opens. */
  make(sizeBytes: number): Promise<Volume>;
}

/** Call in a `describe`; the result is good within its tests. */
export function benchOf(factory: VolumeFactory): Bench {
  let harness: VolumeHarness | undefined;
  const opened: Volume[] = [];

  beforeEach(async () => {
    harness = await factory.prepare();
  });

  afterEach(async () => {
    for (const volume of opened.splice(0)) await volume.close();
    await harness?.dispose();
    harness = undefined;
  });

  const bench: Bench = {
    get harness() {
      if (harness === undefined) throw new Error("the bench is there within tests only");
      return harness;
    },
    async create(name, sizeBytes) {
      const spec = bench.harness.spec(name, sizeBytes);
      await bench.harness.driver.create(spec);
      return spec;
    },
    async open(spec) {
      const volume = await bench.harness.driver.open(spec);
      opened.push(volume);
      return volume;
    },
    async make(sizeBytes) {
      return bench.open(await bench.create("disk", sizeBytes));
    },
  };
  return bench;
}

/** Waits for a rejection and returns the error. */
export async function failureOf(action: Promise<unknown>): Promise<unknown> {
  try {
    await action;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to fail");
}
