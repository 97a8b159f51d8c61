import { describe, expect, it } from "vitest";
import {
  defaultScsiId,
  defaultScsiSn,
  designators,
  naaExtended,
  naaLocal,
  serialNumberField,
} from "../../../../src/control/tgt/show/identity.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("names that nobody has set", () => {
  it("have tid and LUN in them, in hexadecimal and in decimal", () => {
    expect(defaultScsiId(1, 1)).toBe("IET     00010001");
    expect(defaultScsiId(70_000, 16_383)).toBe("IET     111703fff");
    expect(defaultScsiSn(70_000, 10)).toBe("beaf7000010");
  });

  it("fit even for the largest numbers", () => {
    const [tid, lun] = [2 ** 31 - 1, Number.MAX_SAFE_INTEGER];
    expect(hex(naaExtended(defaultScsiId(tid, lun)))).toBe("600e0000007fffffff1fffffffffffff");
    expect(serialNumberField(defaultScsiSn(tid, lun))).toHaveLength(36);
  });

  it("are of tids and LUNs only", () => {
    for (const [tid, lun] of [
      [0, 1],
      [2 ** 31, 1],
      [1.5, 1],
      [1, -1],
      [1, 0.5],
    ] as const) {
      expect(() => defaultScsiId(tid, lun)).toThrow(/tid|LUN/);
      expect(() => defaultScsiSn(tid, lun)).toThrow(/tid|LUN/);
      expect(() => naaLocal(tid, lun)).toThrow(/tid|LUN/);
    }
  });
});

describe("the long NAA designator", () => {
  it.each([
    ["volume-83c2e877-feed-46be-8435-77884", "6e083c2e8770feed046be08435077884"],
    ["IET     00010001", "60000000000000000e00000000010001"],
    ["0123456789abcdefABCDEFghij0123456", "623456789abcdefabcdef00000123456"],
    ["", "60000000000000000000000000000000"],
    ["f", "6000000000000000000000000000000f"],
    ["\n\0 \u007f", "60000000000000000000000000000000"],
  ])("of %j is %s", (scsiId, naa) => {
    expect(hex(naaExtended(scsiId))).toBe(naa);
  });
});

it("makes the short NAA designator of tid and LUN, and lets large tids spill", () => {
  expect(hex(naaLocal(1, 0x3fff))).toBe("3000000100003fff");
  expect(hex(naaLocal(2 ** 31 - 1, 1))).toBe("7fffffff00000001");
});

it("puts the serial number at the end of its field", () => {
  expect(Buffer.from(serialNumberField("beaf11")).toString()).toBe(`${" ".repeat(30)}beaf11`);
});

it("refuses identifiers that no field holds", () => {
  for (const text of ["x".repeat(37), "caf\u00e9"]) {
    expect(() => naaExtended(text)).toThrow(/identifiers/);
    expect(() => serialNumberField(text)).toThrow(/identifiers/);
    expect(() => designators(1, 1, text)).toThrow(/identifiers/);
  }
});
