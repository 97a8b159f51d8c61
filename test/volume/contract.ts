import { describe } from "vitest";
import { describeData } from "./contract/data.ts";
import type { VolumeFactory } from "./contract/factory.ts";
import { describeLifeCycle } from "./contract/life-cycle.ts";
import { describeRandom } from "./contract/random.ts";

/**
 * What every kind of volume has to pass. Sections follow the capability manifest: what a driver declares is tried, and
 * of what it declares absent the refusal is tried.
 */
export function describeVolumeContract(name: string, factory: VolumeFactory): void {
  describe(`the contract of volumes: ${name}`, () => {
    describeData(factory);
    describeRandom(factory);
    describeLifeCycle(factory);
  });
}
