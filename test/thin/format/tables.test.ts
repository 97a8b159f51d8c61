import { describe, expect, it } from "vitest";
import {
  ATTRIBUTES_BYTES,
  getAttributes,
  isVolumeSize,
  setAttributes,
} from "../../../src/thin/format/attributes.ts";
import { decodeDevices, encodeDevices } from "../../../src/thin/format/device-table.ts";
import { FormatFault, isFault } from "../../../src/thin/format/fault.ts";
import { getPointer, NO_POINTER, setPointer } from "../../../src/thin/format/pointer.ts";
import { isSafe } from "../../../src/thin/format/records.ts";
import { decodeSegments, encodeSegments } from "../../../src/thin/format/segment-table.ts";
import {
  areSettings,
  getSettings,
  setSettings,
  SETTINGS_BYTES,
} from "../../../src/thin/format/settings.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { goldenRecords } from "./support/golden.ts";
import {
  many,
  randomAttributes,
  randomDevice,
  randomPointer,
  randomSegment,
  randomSettings,
} from "./support/random-structures.ts";

const seed = chooseSeed(process.env);
const ROUNDS = 100;

describe(`parts of structures (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("are read as they were written", () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const bytes = random.bytes(4096);
      const attributes = randomAttributes(random);
      setAttributes(bytes, 5, attributes);
      expect(getAttributes(bytes, 5, attributes.name)).toEqual(attributes);
      const settings = randomSettings(random);
      setSettings(bytes, 5, settings);
      expect(getSettings(bytes, 5, settings.name)).toEqual(settings);
      const devices = many(random, 1, 32, randomDevice);
      encodeDevices(bytes, 5, devices);
      expect(decodeDevices(bytes, 5, devices.length)).toEqual(devices);
      const segments = many(random, 1, 64, randomSegment);
      encodeSegments(bytes, 5, segments);
      expect(decodeSegments(bytes, 5, segments.length)).toEqual(segments);
      const pointer = randomPointer(random);
      setPointer(bytes, 5, pointer);
      expect(getPointer(bytes, 5)).toEqual(pointer);
    }
  });

  it("leave what is around them alone", () => {
    const settings = Buffer.alloc(SETTINGS_BYTES + 2, 9);
    setSettings(settings, 1, randomSettings(random));
    const attributes = Buffer.alloc(ATTRIBUTES_BYTES + 2, 9);
    setAttributes(attributes, 1, randomAttributes(random));
    expect([settings[0], settings.at(-1), attributes[0], attributes.at(-1)]).toEqual([9, 9, 9, 9]);
  });

  it("know no pointer", () => {
    const bytes = new Uint8Array(16).fill(9);
    setPointer(bytes, 0, NO_POINTER);
    expect(getPointer(bytes, 0)).toBe(NO_POINTER);
    bytes[8] = 1;
    expect(getPointer(bytes, 0)).toBeNull();
  });
});

describe("what a user gives", () => {
  it("is settings only with ascending thresholds and a finite limit", () => {
    const settings = { name: "tank", overcommitMax: 2, thresholds: [0.8, 0.9] };
    expect(areSettings(settings)).toBe(true);
    expect(areSettings({ ...settings, thresholds: [0.9, 0.8] })).toBe(false);
    expect(areSettings({ ...settings, thresholds: [0.8, 1.1] })).toBe(false);
    expect(
      areSettings({ ...settings, thresholds: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] }),
    ).toBe(false);
    expect(areSettings({ ...settings, overcommitMax: -1 })).toBe(false);
    expect(areSettings({ ...settings, overcommitMax: Number.NaN })).toBe(false);
    expect(areSettings({ ...settings, name: "" })).toBe(false);
  });

  it("is a volume's size only in whole sectors below the limit", () => {
    expect([0, 512, 513, -512, 2 ** 50, 2 ** 50 + 512].map(isVolumeSize)).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe("records", () => {
  it("are safe when a power loss may replay them without their data", () => {
    expect(goldenRecords.map(isSafe).flatMap((safe, index) => (safe ? index : []))).toEqual([
      0, 4, 13,
    ]);
  });
});

describe("a fault", () => {
  it("is told from what was wanted", () => {
    expect([isFault(new FormatFault("absent", "x")), isFault({ kind: "absent" })]).toEqual([
      true,
      false,
    ]);
  });
});
