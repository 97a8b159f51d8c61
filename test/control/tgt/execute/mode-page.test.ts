import { expect, it } from "vitest";
import { modePageSettings } from "../../../../src/control/tgt/execute/mode-page.ts";

it.each([
  ["8:0:18:0x14:0:0xff", { writeCache: true }],
  ["8:0:18:0x10:0:0xff", { writeCache: false }],
  ["10:0:10:2:0x10:0:0:0", { softwareWriteProtect: false }],
  ["10:0:10:2:0x10:0x08:0:0", { softwareWriteProtect: true }],
  ["8:1:18:0x14", {}],
  ["8:0:18", {}],
  ["10:0:10:2", {}],
  ["1:0:10:2", {}],
  ["99", {}],
  ["", {}],
])("%j says %j", (text, settings) => {
  expect(modePageSettings(text, false)).toEqual(settings);
});

it("has no write cache where every write is to be durable", () => {
  expect(modePageSettings("8:0:18:0x14", true)).toEqual({ writeCache: false });
});
