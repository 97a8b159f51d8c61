import { expect, it } from "vitest";
import {
  destroyed,
  optionalSize,
  overwriteOptionsOf,
  parseFactor,
  parseThresholds,
  wipes,
} from "../../src/cli/pool-options.ts";

const NOTHING = { "state-dir": "/s", wipe: undefined, "i-know-this-is-not-empty": false };

it("reads percents and factors", () => {
  expect(parseThresholds("80,95")).toEqual([0.8, 0.95]);
  expect(parseThresholds("")).toEqual([]);
  for (const text of ["0", "100", "80,", "1.5", "x"]) {
    expect(() => parseThresholds(text), text).toThrow("percents");
  }
  expect([parseFactor("0"), parseFactor("1.5")]).toEqual([0, 1.5]);
  for (const text of ["", "-1", "Infinity", "x"]) {
    expect(() => parseFactor(text), text).toThrow("factor");
  }
  expect([optionalSize(undefined), optionalSize("1KiB")]).toEqual([undefined, 1024]);
});

it("knows what may be destroyed", () => {
  expect(wipes(NOTHING)).toBe(false);
  expect(overwriteOptionsOf(NOTHING)).toEqual({ stateDir: "/s", wipe: [], acceptData: false });
  expect(wipes({ ...NOTHING, wipe: ["ext4:1"] })).toBe(true);
  const both = { ...NOTHING, wipe: ["ext4:1", "dos:-"], "i-know-this-is-not-empty": true };
  expect(destroyed(both, ["/dev/sdb"])).toBe(
    "ext4:1, dos:-, unknown data on /dev/sdb will be destroyed",
  );
  expect(wipes({ ...NOTHING, "i-know-this-is-not-empty": true })).toBe(true);
});
