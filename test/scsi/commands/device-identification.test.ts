import { describe, expect, it } from "vitest";
import { Bench, TARGET_NAME } from "../support/bench.ts";
import { page } from "../support/vpd-page.ts";

describe("Device Identification", () => {
  it("83h identifies unit, port and target, and never changes for a volume", () => {
    const data = page("83");
    const designators: string[] = [];
    for (let at = 4; at < data.length; at += 4 + data.readUInt8(at + 3)) {
      const header = data.subarray(at, at + 2).toString("hex");
      const value = data.subarray(at + 4, at + 4 + data.readUInt8(at + 3));
      designators.push(`${header} ${value.toString(header.startsWith("51") ? "hex" : "latin1")}`);
    }
    const naa = data.subarray(8, 16).toString("hex");
    expect(data.subarray(4, 8).toString("hex")).toBe("01030008");
    expect(naa).toBe("38ea9fe0ac8959b8");
    const padded = (name: string): string => name.padEnd((name.length + 4) & ~3, "\0");
    expect(designators.slice(1)).toEqual([
      "0201 THINLUN 6f1c2a349d7e4b118a550c1d2e3f4a5b",
      `0308 ${padded(`naa.${naa.toUpperCase()}`)}`,
      "5194 00000001",
      "5195 00000001",
      `5398 ${padded(`${TARGET_NAME},t,0x0001`)}`,
      `53a8 ${padded(TARGET_NAME)}`,
    ]);
  });

  it("83h tells the port of the nexus that asked", () => {
    const bench = new Bench();
    const nexus = bench.open("iqn.2026-01.io.example:two,i,0x2", 0x1234);
    const data = bench.run("12 01 83 ffff 00", { nexus }).dataIn?.toString("latin1");
    expect(data).toContain(`${TARGET_NAME},t,0x1234`);
    expect(data).toContain("\x51\x94\0\x04\0\0\x12\x34");
  });
});
