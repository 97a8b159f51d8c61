import { MemoryDevice } from "../../src/device/memory-device.ts";
import { NO_EXTENT } from "../../src/thin/format/geometry.ts";
import type { Space } from "../../src/thin/space/space.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { makePoolState } from "./pool-state.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

const GIB: number = 1024 ** 3;
/** 1 TiB in extents of 64 KiB. */
const EXTENTS: number = 2 ** 24;
const BRIEF_EXTENTS: number = 2 ** 16;
/** Allocations in a call, after which all are given back: each finds what the one before has left. */
const ALLOCATIONS = 1024;
/** Of a megabyte, as large sequential writes ask for. */
const RUN_EXTENTS = 16;
const FREE_SHARE = 1 / 32;

function allocations(name: string, space: Space, runMax: number): MicroCase {
  const firsts = new Float64Array(ALLOCATIONS);
  const runs = new Uint32Array(ALLOCATIONS);
  return {
    name,
    operations: ALLOCATIONS,
    expected: ALLOCATIONS,
    run: () => {
      let count = 0;
      for (let index = 0; index < ALLOCATIONS; index += 1) {
        const first = space.allocate(null, runMax);
        if (first === NO_EXTENT) break;
        firsts[index] = first;
        runs[index] = space.lastRun;
        count += 1;
      }
      for (let index = 0; index < count; index += 1) {
        space.giveBack(firsts[index] ?? 0, runs[index] ?? 0);
      }
      return count;
    },
  };
}

async function emptySpace(extents: number): Promise<Space> {
  const { space } = await makePoolState({ extents, device: new MemoryDevice(GIB) });
  return space;
}

/** Nearly all is taken, and what is free lies about in single extents. */
async function scatteredSpace(extents: number): Promise<Space> {
  const space = await emptySpace(extents);
  while (space.allocate(null, extents) !== NO_EXTENT);
  const random = new SeededRandom(1);
  for (let index = 0; index < extents; index += 1) {
    if (random.chance(FREE_SHARE)) space.giveBack(index, 1);
  }
  return space;
}

export const allocationBench: MicroBench = {
  name: "allocation",
  about: "taking extents of 1 TiB, and giving them back",
  prepare: async (isBrief) => {
    const extents = isBrief ? BRIEF_EXTENTS : EXTENTS;
    const empty = await emptySpace(extents);
    const scattered = await scatteredSpace(extents);
    return {
      cases: [
        allocations("an extent, of an empty pool", empty, 1),
        allocations("a run of 16 extents, of an empty pool", empty, RUN_EXTENTS),
        allocations("an extent, 1 in 32 free here and there", scattered, 1),
      ],
    };
  },
};
