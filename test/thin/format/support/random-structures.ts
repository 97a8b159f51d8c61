import { EXTENT_BYTES_MIN, NO_EXTENT } from "../../../../src/thin/format/geometry.ts";
import { LEAF_ENTRIES } from "../../../../src/thin/format/layout.ts";
import type { LeafPointers, PagePointer } from "../../../../src/thin/format/pointer.ts";
import type {
  JournalRecord,
  PoolDevice,
  PoolSettings,
  Segment,
  VolumeAttributes,
} from "../../../../src/thin/format/records.ts";
import type { Root } from "../../../../src/thin/format/root.ts";
import type { Superblock } from "../../../../src/thin/format/superblock.ts";
import type { VolumeRecord } from "../../../../src/thin/format/volume-record.ts";
import type { SeededRandom } from "../../../../src/util/random.ts";

/** Values of all structures of the format, as extreme as they may be. */

export function randomUuid(random: SeededRandom): string {
  const hex = random.bytes(16).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Up to the limit, most of them near the ends. */
export function randomNumber(random: SeededRandom, least: number, most: number): number {
  const choice = random.below(4);
  if (choice === 0) return least;
  if (choice === 1 || least === most) return most;
  return least + random.below(choice === 2 ? Math.min(most - least, 1000) : most - least);
}

export function randomName(random: SeededRandom): string {
  const letters = ["a", "Z", "7", ".", "_", "-", " ", "\u00e4", "\u20ac", "\u{1f4be}", "\ufffd"];
  let name = "v";
  const wanted = random.pick([1, 8, 127]);
  for (;;) {
    const next = name + random.pick(letters);
    if (Buffer.byteLength(next) > wanted) return name;
    name = next;
  }
}

export function randomAttributes(random: SeededRandom): VolumeAttributes {
  return {
    id: randomNumber(random, 1, 2 ** 32 - 2),
    uuid: randomUuid(random),
    name: randomName(random),
    sizeBytes: randomNumber(random, 0, 2 ** 41) * 512,
    readOnly: random.chance(0.5),
    isSnapshot: random.chance(0.5),
    originId: randomNumber(random, 0, 2 ** 32 - 1),
    createdAt: randomNumber(random, 0, Number.MAX_SAFE_INTEGER),
    reservedBytes: randomNumber(random, 0, 2 ** 50),
    quotaBytes: randomNumber(random, 0, 2 ** 50),
  };
}

export function randomDevice(random: SeededRandom): PoolDevice {
  return { uuid: randomUuid(random), sizeBytes: randomNumber(random, 2 ** 40, 2 ** 50) };
}

export function randomSegment(random: SeededRandom, devices: number = 32): Segment {
  const extents = randomNumber(random, 1, 2 ** 24);
  return {
    device: random.below(devices),
    offsetBytes: randomNumber(random, 8, 2 ** 20) * 2 ** 20,
    extents,
    virginFrom: randomNumber(random, 0, extents),
  };
}

export function randomSettings(random: SeededRandom): PoolSettings {
  const thresholds = Array.from({ length: random.below(9) }, () => (random.below(999) + 1) / 1000);
  return {
    name: randomName(random),
    overcommitMax: random.pick([0, 1, 2.5, 1e6 / 7]),
    thresholds: [...new Set(thresholds)].toSorted((a, b) => a - b),
  };
}

export function randomPointer(random: SeededRandom): PagePointer {
  return { block: randomNumber(random, 1, 2 ** 40), crc: random.uint32() };
}

export function randomLeafPointers(random: SeededRandom): LeafPointers {
  const hasSides = random.chance(0.3);
  return {
    leaf: randomPointer(random),
    bases: hasSides ? randomPointer(random) : null,
    masks: hasSides ? randomPointer(random) : null,
  };
}

export function randomVolumeRecord(random: SeededRandom): VolumeRecord {
  return {
    attributes: randomAttributes(random),
    mappedExtents: randomNumber(random, 0, 2 ** 36),
    ownedExtents: randomNumber(random, 0, 2 ** 36),
    depth: random.between(1, 5),
    root: randomPointer(random),
  };
}

export function randomRoot(random: SeededRandom): Root {
  const devices = many(random, 1, 32, randomDevice);
  return {
    checkpointSeq: randomNumber(random, 0, Number.MAX_SAFE_INTEGER),
    nextVolumeId: randomNumber(random, 1, 2 ** 32 - 1),
    volumeCount: randomNumber(random, 0, 60480),
    devices,
    segments: many(random, 1, 64, () => randomSegment(random, devices.length)),
    settings: randomSettings(random),
    directories: many(random, 0, 16, randomPointer),
  };
}

export function randomSuperblock(random: SeededRandom): Superblock {
  const devices = many(random, 1, 32, randomDevice);
  const deviceIndex = random.below(devices.length);
  return {
    features: {
      compat: random.pick([0, 0, 0x8000_0000]),
      roCompat: random.pick([0, 0, 1]),
      incompat: 0,
    },
    poolUuid: randomUuid(random),
    deviceUuid: devices[deviceIndex]?.uuid ?? "",
    deviceIndex,
    devices,
    extentBytes: EXTENT_BYTES_MIN * 2 ** random.below(7),
    needsCheck: random.chance(0.5),
    readOnly: random.chance(0.5),
    clean: random.chance(0.5),
    generation: randomNumber(random, 0, 2 ** 52),
    epoch: randomNumber(random, 0, 2 ** 32 - 2),
    root: randomPointer(random),
    checkpointSeq: randomNumber(random, 0, 2 ** 52),
    journal: {
      offsetBytes: 8 * 2 ** 20 + 4096 * random.below(1000),
      blocks: randomNumber(random, 256, 2 ** 20),
    },
    owner: {
      hostId: randomUuid(random),
      bootId: randomUuid(random),
      nonce: randomUuid(random),
      pid: random.uint32(),
      openedAtSeconds: randomNumber(random, 0, Number.MAX_SAFE_INTEGER),
      state: random.pick(["active", "clean"]),
    },
    poolName: randomName(random),
  };
}

const makers: readonly ((random: SeededRandom) => JournalRecord)[] = [
  (random) => {
    const run = randomNumber(random, 1, LEAF_ENTRIES);
    const lext = random.below(2 ** 25) * LEAF_ENTRIES + random.below(LEAF_ENTRIES - run + 1);
    const phys = randomNumber(random, 0, 2 ** 31 - 2 - run);
    return { kind: "map", volume: randomId(random), lext, phys, run, safe: random.chance(0.5) };
  },
  (random) => ({
    kind: "partial",
    volume: randomId(random),
    lext: randomNumber(random, 0, 2 ** 36 - 1),
    phys: randomNumber(random, 0, 2 ** 31 - 3),
    mask: randomNumber(random, 1, 2 ** 32 - 1),
    base: random.chance(0.5) ? NO_EXTENT : randomNumber(random, 0, 2 ** 31 - 3),
  }),
  (random) => {
    const lext = randomNumber(random, 0, 2 ** 36 - 1);
    return {
      kind: "unmap",
      volume: randomId(random),
      lext,
      run: randomNumber(random, 1, 2 ** 36 - lext),
    };
  },
  (random) => ({ kind: "create", attributes: randomAttributes(random) }),
  (random) => ({
    kind: "snapshot",
    source: randomId(random),
    attributes: randomAttributes(random),
  }),
  (random) => ({ kind: "rollback", volume: randomId(random), source: randomId(random) }),
  (random) => ({
    kind: "resize",
    volume: randomId(random),
    sizeBytes: randomNumber(random, 0, 2 ** 41) * 512,
  }),
  (random) => ({ kind: "delete", volume: randomId(random) }),
  (random) => ({ kind: "attributes", attributes: randomAttributes(random) }),
  (random) => ({
    kind: "add-device",
    device: randomDevice(random),
    segment: randomSegment(random),
  }),
  (random) => {
    const segment = randomSegment(random);
    const sizeBytes = randomNumber(random, 0, 2 ** 50);
    return { kind: "grow-device", device: segment.device, sizeBytes, segment };
  },
  (random) => ({
    kind: "virgin",
    segment: random.below(64),
    from: randomNumber(random, 0, 2 ** 31 - 2),
  }),
  (random) => ({ kind: "settings", settings: randomSettings(random) }),
  (random) => ({ kind: "barrier", upto: randomNumber(random, 0, Number.MAX_SAFE_INTEGER) }),
];

/** How many kinds of records there are. */
export const RECORD_KINDS: number = makers.length;

export function randomRecord(random: SeededRandom, kind: number): JournalRecord {
  const make = makers[kind];
  if (make === undefined) throw new RangeError(`there is no record of kind ${kind}`);
  return make(random);
}

function randomId(random: SeededRandom): number {
  return randomNumber(random, 1, 2 ** 32 - 1);
}

export function many<T>(
  random: SeededRandom,
  least: number,
  most: number,
  make: (random: SeededRandom) => T,
): T[] {
  return Array.from({ length: randomNumber(random, least, most) }, () => make(random));
}
