import { describe, expect, it } from "vitest";
import { decodeSense, SenseKey, senseText } from "../../src/initiator/sense.ts";

function fixed(): Buffer {
  return Buffer.from("f00003000012340a000000001101000000000000".slice(0, 36), "hex");
}

describe("sense data, SPC-4 4.5", () => {
  it("in fixed format", () => {
    expect(decodeSense(fixed())).toEqual({
      key: SenseKey.mediumError,
      additionalSenseCode: 0x11,
      additionalSenseCodeQualifier: 0x01,
      information: 0x1234,
      keySpecific: -1,
      deferred: false,
    });
  });

  it("with a field pointer, deferred, and without valid information", () => {
    const bytes = fixed();
    bytes[0] = 0x71;
    bytes.set([0xcf, 0x00, 0x02], 15);
    expect(decodeSense(bytes)).toMatchObject({
      information: -1,
      keySpecific: 0xcf0002,
      deferred: true,
    });
  });

  it("in descriptor format", () => {
    const bytes = Buffer.from(
      "7205240000000014" + "000a8000" + "0000000100000002" + "02060000" + "c0000700",
      "hex",
    );
    expect(decodeSense(bytes)).toEqual({
      key: SenseKey.illegalRequest,
      additionalSenseCode: 0x24,
      additionalSenseCodeQualifier: 0,
      information: 0x1_0000_0002,
      keySpecific: 0xc00007,
      deferred: false,
    });
  });

  it("is nothing where there is none, and never reads past its end", () => {
    expect(decodeSense(new Uint8Array(0))).toBeUndefined();
    expect(decodeSense(new Uint8Array(18))).toBeUndefined();
    const full = Buffer.from("72052400000000ff000a800000000001", "hex");
    for (let length = 8; length <= full.length; length += 1) {
      expect(decodeSense(full.subarray(0, length))?.key).toBe(5);
    }
    for (let length = 8; length <= 18; length += 1) {
      expect(decodeSense(fixed().subarray(0, length))?.key).toBe(3);
    }
  });

  it("is told in words", () => {
    const sense = decodeSense(fixed());
    expect(sense && senseText(sense)).toBe("MEDIUM ERROR (3/11/01)");
  });
});
