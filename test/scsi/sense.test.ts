import { describe, expect, it } from "vitest";
import {
  cdbField,
  dataField,
  decodeSense,
  encodeSense,
  Sense,
  SENSE_BYTES_MAX,
} from "../../src/scsi/sense.ts";

function encoded(code: number, descriptor: boolean, field = -1, information = -1): string {
  const into = new Uint8Array(SENSE_BYTES_MAX).fill(0xee);
  const lengthBytes = encodeSense(into, code, descriptor, field, information);
  return Buffer.from(into.subarray(0, lengthBytes)).toString("hex");
}

describe("fixed format", () => {
  it("has 18 bytes", () => {
    expect(encoded(Sense.powerOnResetOrBusDeviceResetOccurred, false)).toBe(
      "700006000000000a00000000290000000000",
    );
  });

  it("points at a byte of the CDB", () => {
    expect(encoded(Sense.invalidFieldInCdb, false, cdbField(2))).toBe(
      "700005000000000a00000000240000c00002",
    );
  });

  it("points at a bit of the parameter list", () => {
    expect(encoded(Sense.invalidFieldInParameterList, false, dataField(0x102, 7))).toBe(
      "700005000000000a000000002600008f0102",
    );
  });

  it("carries information of 32 bits and leaves out more", () => {
    expect(encoded(Sense.miscompareDuringVerifyOperation, false, -1, 0x01020304)).toBe(
      "f0000e010203040a000000001d0000000000",
    );
    expect(encoded(Sense.miscompareDuringVerifyOperation, false, -1, 2 ** 32)).toBe(
      "70000e000000000a000000001d0000000000",
    );
  });
});

describe("descriptor format", () => {
  it("has eight bytes without descriptors", () => {
    expect(encoded(Sense.logicalBlockAddressOutOfRange, true)).toBe("7205210000000000");
  });

  it("carries the field pointer and the information as descriptors", () => {
    expect(encoded(Sense.invalidFieldInCdb, true, cdbField(1, 4), 2 ** 40)).toBe(
      "7205240000000014" + "000a80000000010000000000" + "02060000cc000100",
    );
  });
});

describe("decodeSense", () => {
  it("reads back what encodeSense wrote, in both formats", () => {
    const into = new Uint8Array(SENSE_BYTES_MAX);
    const fields = [-1, cdbField(0), cdbField(15, 0), dataField(7, 7), dataField(0xffff)];
    for (const descriptorFormat of [false, true]) {
      for (const field of fields) {
        for (const information of [-1, 0, 77, 0xffff_ffff]) {
          const code = Sense.invalidFieldInCdb;
          const lengthBytes = encodeSense(into, code, descriptorFormat, field, information);
          const expected = { code, deferred: false, descriptorFormat, information, field };
          expect(decodeSense(into, lengthBytes)).toEqual(expected);
        }
      }
    }
  });

  it("gives null for what is cut short or of another format", () => {
    const into = new Uint8Array(SENSE_BYTES_MAX);
    expect(decodeSense(into, 0)).toBeNull();
    expect(decodeSense(into, 18)).toBeNull();
    encodeSense(into, Sense.writeProtected, false, -1, -1);
    expect(decodeSense(into, 13)).toBeNull();
    encodeSense(into, Sense.writeProtected, true, -1, -1);
    expect(decodeSense(into, 7)).toBeNull();
  });

  it("stays within descriptors that lie about their length", () => {
    const lying = Uint8Array.from([0x72, 5, 0x24, 0, 0, 0, 0, 255, 0, 255, 0x80, 0, 2, 6, 0, 0]);
    expect(decodeSense(lying, lying.length)?.information).toBe(-1);
    const deferred = Uint8Array.from([0x73, 3, 0x0c, 0, 0, 0, 0, 0]);
    expect(decodeSense(deferred, 8)?.deferred).toBe(true);
  });
});
