import { expect, it } from "vitest";
import {
  NOP_DEFAULTS,
  SESSION_KEY_DEFAULTS,
  usualScsiId,
  usualScsiSn,
} from "../../../src/control/tgt/defaults.ts";
import { targetSetting } from "../../../src/control/tgt/tgt-command-update.ts";

it("what tgt has before anything is said is what it takes when that is said", () => {
  for (const [key, value] of Object.entries({ ...NOP_DEFAULTS, ...SESSION_KEY_DEFAULTS })) {
    expect(targetSetting(`${key}=${value}`), key).toEqual({ key, value });
  }
});

it("units are called by the numbers of their target and LUN", () => {
  expect([usualScsiId(1, 1), usualScsiSn(1, 1)]).toEqual(["IET     00010001", "beaf11"]);
  expect([usualScsiId(0x1_2345, 255), usualScsiSn(12, 3)]).toEqual([
    "IET     1234500ff",
    "beaf123",
  ]);
});
