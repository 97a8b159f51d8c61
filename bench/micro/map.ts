import { DeviceFilter } from "../../src/device/device-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import type { Engine } from "../../src/thin/io/engine.ts";
import { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import type { PoolState } from "../../src/thin/map/pool-state.ts";
import { systemClock } from "../../src/util/clock.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { EXTENT_BYTES } from "../engine/thin-pool.ts";
import { attributesOf, makePoolState, mapAll } from "./pool-state.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

const KIB = 1024;
const GIB: number = 1024 ** 3;
const BLOCK_BYTES: number = 4 * KIB;
const LONG_BYTES: number = 128 * KIB;
/** Commands in a call. */
const COMMANDS = 1024;

/** Takes every command at once and moves nothing: what is left is the way to it. */
class NowhereDevice extends DeviceFilter {
  offsets = 0;

  override tryRead(_into: Uint8Array, _at: number, _bytes: number, offsetBytes: number): boolean {
    this.offsets += offsetBytes;
    return true;
  }

  override tryWrite(_from: Uint8Array, _at: number, _bytes: number, offsetBytes: number): boolean {
    this.offsets += offsetBytes;
    return true;
  }
}

/** The data path reaches its maps and its devices, and nothing else. */
function engineOf(state: PoolState): Engine {
  const unused = (): never => {
    throw new Error("a command on what is mapped needs nothing of the pool");
  };
  return {
    poolName: state.settings.name,
    geometry: state.geometry,
    state,
    journal: { appliedSeq: 1, append: unused, appendTogether: unused },
    barrier: { durableSeq: 1, sync: unused },
    health: { failure: null },
    clock: systemClock,
    fullPolicy: { wait: unused, waiters: 0, freed: unused },
    storage: { hold: unused, passed: unused },
    isDirty: false,
  };
}

interface Shape {
  readonly title: string;
  readonly volumeBytes: number;
  readonly segments: number;
}

const SHAPES: readonly Shape[] = [
  { title: "8 GiB", volumeBytes: 8 * GIB, segments: 1 },
  { title: "8 GiB of a pool with 64 segments", volumeBytes: 8 * GIB, segments: 64 },
  { title: "1 TiB", volumeBytes: 1024 * GIB, segments: 1 },
];
const BRIEF_SHAPES: readonly Shape[] = [
  { title: "1 GiB of a pool with 64 segments", volumeBytes: GIB, segments: 64 },
];

function placesOf(volumeBytes: number, lengthBytes: number, isRandom: boolean): Float64Array {
  const random = new SeededRandom(1);
  const pieces = volumeBytes / lengthBytes;
  return Float64Array.from(
    { length: COMMANDS },
    (_, index) => (isRandom ? random.below(pieces) : index) * lengthBytes,
  );
}

async function casesOf({ title, volumeBytes, segments }: Shape): Promise<MicroCase[]> {
  const device = new NowhereDevice(new MemoryDevice(GIB, "nowhere"), "nowhere");
  const extents = volumeBytes / EXTENT_BYTES;
  // As many again: a pool keeps some for its metadata.
  const state = await makePoolState({ extents: 2 * extents, segments, device });
  const volume = new ThinVolume(engineOf(state), state.addVolume(attributesOf(1, volumeBytes)));
  mapAll(state, volume.state);
  const buffer = Buffer.alloc(LONG_BYTES);
  const command = (
    name: string,
    places: Float64Array,
    lengthBytes: number,
    move: "tryRead" | "tryWrite",
  ): MicroCase => ({
    name: `${name}, ${title}`,
    operations: COMMANDS,
    run: () => {
      device.offsets = 0;
      for (let index = 0; index < COMMANDS; index += 1) {
        if (!volume[move](buffer, 0, lengthBytes, places[index] ?? 0)) return 0;
      }
      return device.offsets;
    },
  });
  const random = placesOf(volumeBytes, BLOCK_BYTES, true);
  const inOrder = placesOf(volumeBytes, LONG_BYTES, false);
  const cases = [
    command("4 KiB read, random", random, BLOCK_BYTES, "tryRead"),
    command("4 KiB write in place, random", random, BLOCK_BYTES, "tryWrite"),
    command("128 KiB read, sequential", inOrder, LONG_BYTES, "tryRead"),
  ];
  return cases.map(mustReachTheDevice);
}

/** All of them moved: a volume that serves nothing at once is quick, too. */
function mustReachTheDevice(one: MicroCase): MicroCase {
  const expected = "run" in one ? one.run() : 0;
  if (expected === 0) throw new Error(`${one.name}: nothing is served at once`);
  return { ...one, expected };
}

export const mapBench: MicroBench = {
  name: "map",
  about: "what a volume does for a command on mapped extents: its map, and the place on the device",
  prepare: async (isBrief) => {
    const cases: MicroCase[] = [];
    for (const shape of isBrief ? BRIEF_SHAPES : SHAPES) cases.push(...(await casesOf(shape)));
    return { cases };
  },
};
