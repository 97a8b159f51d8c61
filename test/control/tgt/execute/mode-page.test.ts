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

it.each(["8:0:1:0x10:0", "8:0:0:", "8:0::1", "8:0:x:1", "8:0:65537:0:0", "::::"])(
  "%j is longer than it says",
  (text) => {
    expect(() => modePageSettings(text, false)).toThrow(/longer/);
  },
);

it.each(["8:0:2:0", "8:0:-1:0", "8:0:0x2:0:0", "8:0:0", "8", ":"])("%j is not", (text) => {
  expect(() => modePageSettings(text, false)).not.toThrow();
});

it("has no write cache where every write is to be durable", () => {
  expect(modePageSettings("8:0:18:0x14", true)).toEqual({ writeCache: false });
});
