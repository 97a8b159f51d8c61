import { expect, it } from "vitest";
import { LUN_SETTING_ARGUMENTS, LUN_SETTINGS } from "../../../src/control/schemas/lun-settings.ts";
import { UNIT_SETTINGS_DEFAULTS } from "../../../src/scsi/unit-settings.ts";

it("everything that a unit has can be said of a LUN, and is told of it", () => {
  expect(Object.keys(LUN_SETTING_ARGUMENTS)).toEqual(
    expect.arrayContaining(Object.keys(UNIT_SETTINGS_DEFAULTS)),
  );
  const { readOnly: _, online: __, ...described } = UNIT_SETTINGS_DEFAULTS;
  expect(Object.keys(LUN_SETTINGS)).toEqual(expect.arrayContaining(Object.keys(described)));
});
