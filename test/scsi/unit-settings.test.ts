import { describe, expect, it } from "vitest";
import {
  effectiveSettings,
  UNIT_SETTINGS_DEFAULTS,
  unitSettingsProblems,
  type UnitSettings,
} from "../../src/scsi/unit-settings.ts";
import { FakeVolume } from "./support/fake-volume.ts";

describe("unitSettingsProblems", () => {
  it("finds none in the defaults, and none in nothing", () => {
    expect(unitSettingsProblems(UNIT_SETTINGS_DEFAULTS)).toEqual([]);
    expect(unitSettingsProblems({})).toEqual([]);
  });

  it.each<[keyof UnitSettings, number]>([
    ["physicalBlockExponent", 15],
    ["lowestAlignedLba", 0x3fff],
    ["optimalGranularityBlocks", 0xffff],
    ["optimalTransferBlocks", 0xffff_ffff],
  ])("%s is a whole number up to %d", (name, max) => {
    for (const good of [0, 1, max]) expect(unitSettingsProblems({ [name]: good })).toEqual([]);
    for (const bad of [-1, 0.5, max + 1, Number.NaN]) {
      const problem = `${name}: ${bad} is not a whole number from 0 to ${max}`;
      expect(unitSettingsProblems({ [name]: bad })).toEqual([problem]);
    }
  });

  it("takes no rotation rate that is reserved", () => {
    for (const rotationRate of [null, 0, 1, 1025, 7200, 0xfffe]) {
      expect(unitSettingsProblems({ rotationRate })).toEqual([]);
    }
    for (const rotationRate of [-1, 2, 1024, 0xffff, 7200.5, Number.NaN]) {
      const [problem = ""] = unitSettingsProblems({ rotationRate });
      expect(problem).toBe(
        `rotationRate: ${rotationRate} is neither 0, 1, nor a whole number from 1025 to 65534`,
      );
    }
  });

  it("names everything that is wrong", () => {
    expect(unitSettingsProblems({ physicalBlockExponent: 16, rotationRate: 2 }).length).toBe(2);
  });
});

const { capabilities } = new FakeVolume(4096);

describe("effectiveSettings", () => {
  it("follows from the volume where nothing is set", () => {
    expect(effectiveSettings(UNIT_SETTINGS_DEFAULTS, capabilities, 512)).toEqual({
      ...UNIT_SETTINGS_DEFAULTS,
      physicalBlockExponent: 3,
      optimalGranularityBlocks: 8,
      optimalTransferBlocks: 128,
      rotationRate: 1,
    });
    const large = { ...capabilities, physicalBlockBytes: 2 ** 40, rotational: true };
    expect(effectiveSettings(UNIT_SETTINGS_DEFAULTS, large, 512)).toMatchObject({
      physicalBlockExponent: 15,
      optimalGranularityBlocks: 0xffff,
      rotationRate: 0,
    });
    const small = { ...capabilities, physicalBlockBytes: 512, optimalIoBytes: 0 };
    expect(effectiveSettings(UNIT_SETTINGS_DEFAULTS, small, 4096)).toMatchObject({
      physicalBlockExponent: 0,
      optimalGranularityBlocks: 1,
      optimalTransferBlocks: 0,
    });
  });

  it("is what was set", () => {
    const settings: UnitSettings = {
      readOnly: true,
      online: false,
      removable: true,
      writeCache: false,
      softwareWriteProtect: true,
      descriptorSense: true,
      thinProvisioning: false,
      physicalBlockExponent: 0,
      lowestAlignedLba: 7,
      optimalGranularityBlocks: 0,
      optimalTransferBlocks: 0,
      rotationRate: 0,
    };
    expect(effectiveSettings(settings, capabilities, 512)).toEqual(settings);
  });

  it("is no more than the volume can do", () => {
    const poor = { ...capabilities, writable: false, discardGranularityBytes: 0 };
    expect(effectiveSettings(UNIT_SETTINGS_DEFAULTS, poor, 512)).toMatchObject({
      readOnly: true,
      thinProvisioning: false,
    });
  });
});
