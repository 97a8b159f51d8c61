import { describe, expect, it } from "vitest";
import { decodeLun, encodeLun, REPORT_LUNS_WELL_KNOWN_LUN } from "../../src/scsi/lun.ts";

function decoded(hex: string): number {
  return decodeLun(Buffer.from(`ff${hex}`, "hex"), 1);
}

function encoded(lun: number): string {
  const bytes = Buffer.alloc(8, 0xee);
  encodeLun(bytes, 0, lun);
  return bytes.toString("hex");
}

describe("decodeLun", () => {
  it.each([
    ["0000000000000000", 0],
    ["00ff000000000000", 255],
    ["4000000000000000", 0],
    ["40ff000000000000", 255],
    ["4100000000000000", 256],
    ["7fff000000000000", 16_383],
    ["c101000000000000", REPORT_LUNS_WELL_KNOWN_LUN],
  ])("reads %s", (hex, lun) => {
    expect(decoded(hex)).toBe(lun);
  });

  it.each([
    "0100000000000000",
    "3f00000000000000",
    "8000000000000000",
    "c100000000000000",
    "d200000100000000",
    "0000000100000000",
    "0000400000000000",
    "0000000000000001",
    "c101000000000001",
    "ffffffffffffffff",
  ])("refuses %s", (hex) => {
    expect(decoded(hex)).toBe(-1);
  });
});

describe("encodeLun", () => {
  it("takes the shortest method", () => {
    expect(encoded(0)).toBe("0000000000000000");
    expect(encoded(255)).toBe("00ff000000000000");
    expect(encoded(256)).toBe("4100000000000000");
    expect(encoded(REPORT_LUNS_WELL_KNOWN_LUN)).toBe("c101000000000000");
  });

  it("is undone by decodeLun", () => {
    const bytes = new Uint8Array(8);
    for (let lun = 0; lun <= 0x3fff; lun += 7) {
      encodeLun(bytes, 0, lun);
      expect(decodeLun(bytes, 0)).toBe(lun);
    }
  });

  it("asserts that the LUN exists", () => {
    expect(() => encoded(0x4000)).toThrow("LUN");
    expect(() => encoded(-1)).toThrow("LUN");
  });
});
