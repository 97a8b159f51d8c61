import { describe, expect, it } from "vitest";
import { response } from "../../../src/scsi/commands/response.ts";
import { FakeTask } from "../support/fake-task.ts";

function built(): string {
  return Buffer.from(response.bytes.subarray(0, response.lengthBytes)).toString("hex");
}

describe("the response builder", () => {
  it("appends big-endian fields", () => {
    response
      .start()
      .uint8(1)
      .uint16(0x0203)
      .uint24(0x040506)
      .uint32(0x0708090a)
      .uint64(2 ** 33);
    expect(built()).toBe("0102030405060708090a0000000200000000");
  });

  it("pads text with spaces and the rest with zeros, over what was there", () => {
    response.bytes.fill(0xee, 0, 64);
    response.start().ascii("AB", 4).ascii("ABCDE", 4).text("\u00e9").zeros(1).padTo(13);
    expect(built()).toBe("4142202041424344c3a9000000");
    expect(response.bytes[13]).toBe(0xee);
  });

  it("is cut to the allocation length and copied", () => {
    for (const [allocation, hex] of [
      [0, ""],
      [1, "01"],
      [2, "0102"],
      [9, "0102"],
    ] as const) {
      const task = new FakeTask();
      response.start().uint16(0x0102).send(task, allocation);
      response.start().uint16(0xffff);
      expect(task.dataIn?.toString("hex")).toBe(hex);
    }
  });

  it("asserts that a response fits", () => {
    expect(() => response.start().zeros(response.bytes.length + 1)).toThrow("fits");
  });
});
