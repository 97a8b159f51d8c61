import { describe, expect, it } from "vitest";
import {
  Access,
  cdbBytesOf,
  Command,
  serviceActionOf,
  type CommandRow,
} from "../../src/scsi/command.ts";

const ROW: CommandRow = {
  name: "READ CAPACITY (16)",
  usage: "9e 10 ffffffffffffffff ffffffff 01 00",
  serviceAction: 0x10,
  direction: "in",
  access: Access.read,
  reservation: "allowed",
  allowedWithUnitAttention: false,
  diskOnly: true,
  handler: () => undefined,
};

describe("Command", () => {
  it("takes operation code, length and reserved bits from the usage data", () => {
    const command = new Command(ROW);
    expect([command.operationCode, command.cdbBytes]).toEqual([0x9e, 16]);
    expect(Buffer.from(command.reserved).toString("hex")).toBe("00e0" + "00".repeat(12) + "feff");
    const plain = new Command({ ...ROW, usage: "00 00 000000 00", serviceAction: -1 });
    expect(Buffer.from(plain.reserved).toString("hex")).toBe("00ffffffffff");
  });

  it("does not load with a row that is wrong", () => {
    expect(() => new Command({ ...ROW, usage: "28 00", serviceAction: -1 })).toThrow("length");
    expect(() => new Command({ ...ROW, usage: "60", serviceAction: -1 })).toThrow("length");
    expect(() => new Command({ ...ROW, serviceAction: 3 })).toThrow("service action");
  });
});

describe("cdbBytesOf", () => {
  it("goes by the group code", () => {
    const codes = [0x1f, 0x20, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    expect(codes.map(cdbBytesOf)).toEqual([6, 10, 10, 0, 0, 16, 16, 12, 12, 0, 0]);
  });
});

describe("serviceActionOf", () => {
  it("takes five bits of byte 1", () => {
    expect(serviceActionOf(Uint8Array.from([0x9e, 0xf2]))).toBe(0x12);
  });
});
