import { describe, expect, it } from "vitest";
import {
  AsyncEvent,
  decodeAsyncMessage,
  encodeAsyncMessage,
} from "../../../src/iscsi/pdu/async-message.ts";
import {
  additionalHeaderBytesOf,
  BASIC_HEADER_BYTES,
  dataSegmentBytesOf,
  initiatorTaskTagOf,
  opcodeOf,
  paddedBytes,
  setInitiatorNumbers,
  setTargetNumbers,
} from "../../../src/iscsi/pdu/basic-header.ts";
import {
  DataInFlag,
  decodeDataIn,
  encodeDataIn,
  setDataInPosition,
  setDataInStatus,
} from "../../../src/iscsi/pdu/data-in.ts";
import {
  dataOutBufferOffsetOf,
  dataOutDataSnOf,
  dataOutIsFinal,
  dataOutTargetTransferTagOf,
  encodeDataOut,
} from "../../../src/iscsi/pdu/data-out.ts";
import { checkLayout } from "../../../src/iscsi/pdu/layout.ts";
import {
  decodeLoginRequest,
  decodeLoginResponse,
  encodeLoginRequest,
  encodeLoginResponse,
} from "../../../src/iscsi/pdu/login.ts";
import {
  decodeLogoutRequest,
  decodeLogoutResponse,
  encodeLogoutRequest,
  encodeLogoutResponse,
} from "../../../src/iscsi/pdu/logout.ts";
import {
  decodeNop,
  encodeNopIn,
  encodeNopOut,
  nopIsImmediate,
} from "../../../src/iscsi/pdu/nop.ts";
import {
  decodeReadyToTransfer,
  encodeReadyToTransfer,
} from "../../../src/iscsi/pdu/ready-to-transfer.ts";
import { decodeRejectReason, encodeReject, RejectReason } from "../../../src/iscsi/pdu/reject.ts";
import {
  attributeOf,
  encodeScsiCommand,
  expectedDataTransferBytesOf,
} from "../../../src/iscsi/pdu/scsi-command.ts";
import { decodeScsiResponse, encodeScsiResponse } from "../../../src/iscsi/pdu/scsi-response.ts";
import {
  decodeTaskManagementRequest,
  decodeTaskManagementResponse,
  encodeTaskManagementRequest,
  encodeTaskManagementResponse,
} from "../../../src/iscsi/pdu/task-management.ts";
import { decodeText, encodeTextRequest, encodeTextResponse } from "../../../src/iscsi/pdu/text.ts";

/** Where a header begins in the buffers of these tests: codecs must not assume 0, nor touch what is around. */
const BASE = 7;
const GUARD = 0xee;

const LUN = Uint8Array.of(0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08);
const LUN_HEX = "0102030405060708";

/** Runs an encoder in the middle of a dirty buffer and gives the header as hexadecimal, with the buffer. */
function encoded(encode: (bytes: Uint8Array, base: number) => void): {
  hex: string;
  bytes: Buffer;
} {
  const bytes = Buffer.alloc(BASE + BASIC_HEADER_BYTES + 9, GUARD);
  encode(bytes, BASE);
  const before = bytes.subarray(0, BASE);
  const after = bytes.subarray(BASE + BASIC_HEADER_BYTES);
  expect(Buffer.concat([before, after]).every((byte) => byte === GUARD)).toBe(true);
  return { hex: bytes.toString("hex", BASE, BASE + BASIC_HEADER_BYTES), bytes };
}

/**
 * The oracle: headers put together by hand from the figures of RFC 7143 chapter 11, field by field, independent of the
 * offset tables. Spaces separate the fields.
 */
function byHand(fields: string): string {
  const hex = fields.replaceAll(/\s+/g, "");
  expect(hex).toHaveLength(BASIC_HEADER_BYTES * 2);
  return hex;
}

const numbers = { cmdSn: 0x11121314, expStatSn: 0x21222324 };
const tags = { initiatorTaskTag: 0xa1a2a3a4, targetTransferTag: 0xb1b2b3b4 };

describe("PDUs from the initiator", () => {
  it("NOP-Out, RFC 7143 11.18", () => {
    const fields = { lun: LUN, ...tags, immediate: true, ...numbers };
    const { hex, bytes } = encoded((into, base) => encodeNopOut(into, base, fields, 0x010203));
    expect(hex).toBe(
      byHand(
        `40 80 0000 00 010203 ${LUN_HEX} a1a2a3a4 b1b2b3b4 11121314 21222324 ${"00".repeat(16)}`,
      ),
    );
    expect(nopIsImmediate(bytes, BASE)).toBe(true);
    const decoded = decodeNop(bytes, BASE);
    expect({ ...decoded, lun: [...decoded.lun] }).toEqual({ lun: [...LUN], ...tags });
  });

  it("SCSI Command, RFC 7143 11.3", () => {
    const fields = {
      immediate: false,
      flags: 0xc1,
      lun: LUN,
      initiatorTaskTag: tags.initiatorTaskTag,
      expectedDataTransferBytes: 0x31323334,
      ...numbers,
      cdb: Uint8Array.from({ length: 20 }, (_, index) => 0x40 + index),
      totalAdditionalHeaderWords: 2,
      dataSegmentBytes: 5,
    };
    const { hex, bytes } = encoded((into, base) => encodeScsiCommand(into, base, fields));
    expect(hex).toBe(
      byHand(`01 c1 0000 02 000005 ${LUN_HEX} a1a2a3a4 31323334 11121314 21222324
        404142434445464748494a4b4c4d4e4f`),
    );
    expect(opcodeOf(bytes, BASE)).toBe(1);
    expect(additionalHeaderBytesOf(bytes, BASE)).toBe(8);
    expect(dataSegmentBytesOf(bytes, BASE)).toBe(5);
    expect(initiatorTaskTagOf(bytes, BASE)).toBe(0xa1a2a3a4);
    expect(attributeOf(bytes, BASE)).toBe(1);
    expect(expectedDataTransferBytesOf(bytes, BASE)).toBe(0x31323334);
  });

  it("Task Management Function Request, RFC 7143 11.5", () => {
    const fields = {
      immediate: true,
      functionCode: 5,
      lun: LUN,
      initiatorTaskTag: 0xa1a2a3a4,
      referencedTaskTag: 0xc1c2c3c4,
      ...numbers,
      refCmdSn: 0xd1d2d3d4,
    };
    const { hex, bytes } = encoded((into, base) => encodeTaskManagementRequest(into, base, fields));
    expect(hex).toBe(
      byHand(`42 85 0000 00 000000 ${LUN_HEX} a1a2a3a4 c1c2c3c4 11121314 21222324 d1d2d3d4
        00000000 0000000000000000`),
    );
    const decoded = decodeTaskManagementRequest(bytes, BASE);
    expect({ ...decoded, lun: [...decoded.lun] }).toEqual({ ...fields, lun: [...LUN] });
  });

  it("Login Request, RFC 7143 11.12", () => {
    const fields = {
      transit: true,
      continued: false,
      currentStage: 1,
      nextStage: 3,
      versionMax: 0,
      versionMin: 0,
      isid: "800102030405",
      tsih: 0x6162,
      initiatorTaskTag: 0xa1a2a3a4,
      cid: 0x7172,
      ...numbers,
    };
    const { hex, bytes } = encoded((into, base) => encodeLoginRequest(into, base, fields, 9));
    expect(hex).toBe(
      byHand(`43 87 00 00 00 000009 800102030405 6162 a1a2a3a4 7172 0000 11121314 21222324
        ${"00".repeat(16)}`),
    );
    expect(decodeLoginRequest(bytes, BASE)).toEqual(fields);
    const partial = { ...fields, transit: false, continued: true, currentStage: 0, nextStage: 0 };
    const again = encoded((into, base) => encodeLoginRequest(into, base, partial, 0));
    expect(again.hex.slice(2, 4)).toBe("40");
    expect(decodeLoginRequest(again.bytes, BASE)).toEqual(partial);
  });

  it("Text Request, RFC 7143 11.10", () => {
    const fields = { final: true, continued: false, ...tags, immediate: false, ...numbers };
    const { hex, bytes } = encoded((into, base) => encodeTextRequest(into, base, fields, 3));
    expect(hex).toBe(
      byHand(`04 80 0000 00 000003 0000000000000000 a1a2a3a4 b1b2b3b4 11121314 21222324
        ${"00".repeat(16)}`),
    );
    expect(decodeText(bytes, BASE)).toEqual({ final: true, continued: false, ...tags });
  });

  it.each([
    [true, "80"],
    [false, "00"],
  ])("SCSI Data-Out, final %s, RFC 7143 11.7", (final, flags) => {
    const fields = {
      final,
      lun: LUN,
      ...tags,
      expStatSn: 0x21222324,
      dataSn: 0x41424344,
      bufferOffset: 0x51525354,
      dataSegmentBytes: 0xfffffe,
    };
    const { hex, bytes } = encoded((into, base) => encodeDataOut(into, base, fields));
    expect(hex).toBe(
      byHand(`05 ${flags} 0000 00 fffffe ${LUN_HEX} a1a2a3a4 b1b2b3b4 00000000 21222324 00000000
        41424344 51525354 00000000`),
    );
    expect(dataOutIsFinal(bytes, BASE)).toBe(final);
    expect(dataOutTargetTransferTagOf(bytes, BASE)).toBe(0xb1b2b3b4);
    expect(dataOutDataSnOf(bytes, BASE)).toBe(0x41424344);
    expect(dataOutBufferOffsetOf(bytes, BASE)).toBe(0x51525354);
    expect(dataSegmentBytesOf(bytes, BASE)).toBe(0xfffffe);
  });

  it("Logout Request, RFC 7143 11.14", () => {
    const tag = { initiatorTaskTag: 0xa1a2a3a4 };
    const fields = { immediate: true, reason: 1, ...tag, cid: 0x7172, ...numbers };
    const { hex, bytes } = encoded((into, base) => encodeLogoutRequest(into, base, fields));
    expect(hex).toBe(
      byHand(`46 81 0000 00 000000 0000000000000000 a1a2a3a4 7172 0000 11121314 21222324
        ${"00".repeat(16)}`),
    );
    expect(decodeLogoutRequest(bytes, BASE)).toEqual(fields);
  });
});

/** StatSN, ExpCmdSN and MaxCmdSN as `setTargetNumbers` writes them. */
const TARGET_NUMBERS = "e1e2e3e4 f1f2f3f4 0a0b0c0d";

function numbered(bytes: Uint8Array, base: number): void {
  setTargetNumbers(bytes, base, 0xe1e2e3e4, 0xf1f2f3f4, 0x0a0b0c0d);
}

describe("PDUs from the target", () => {
  it("NOP-In, RFC 7143 11.19", () => {
    const { hex } = encoded((into, base) => {
      encodeNopIn(into, base, { lun: LUN, ...tags }, 4);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(
        `20 80 0000 00 000004 ${LUN_HEX} a1a2a3a4 b1b2b3b4 ${TARGET_NUMBERS} ${"00".repeat(12)}`,
      ),
    );
  });

  it("SCSI Response, RFC 7143 11.4", () => {
    const fields = {
      residualFlags: 0x12,
      response: 1,
      status: 2,
      initiatorTaskTag: 0xa1a2a3a4,
      expDataSn: 0x01020304,
      bidirectionalReadResidualBytes: 0x05060708,
      residualBytes: 0x090a0b0c,
    };
    const { hex, bytes } = encoded((into, base) => {
      encodeScsiResponse(into, base, { ...fields, dataSegmentBytes: 20 });
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`21 92 01 02 00 000014 0000000000000000 a1a2a3a4 00000000 ${TARGET_NUMBERS}
        01020304 05060708 090a0b0c`),
    );
    expect(decodeScsiResponse(bytes, BASE)).toEqual(fields);
  });

  it("Task Management Function Response, RFC 7143 11.6", () => {
    const { hex, bytes } = encoded((into, base) => {
      encodeTaskManagementResponse(into, base, 0xa1a2a3a4, 255);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`22 80 ff 00 00 000000 0000000000000000 a1a2a3a4 00000000 ${TARGET_NUMBERS}
        ${"00".repeat(12)}`),
    );
    expect(decodeTaskManagementResponse(bytes, BASE)).toBe(255);
  });

  it("Login Response, RFC 7143 11.13", () => {
    const fields = {
      transit: true,
      continued: false,
      currentStage: 0,
      nextStage: 1,
      versionMax: 0,
      versionActive: 0,
      isid: "400102030405",
      tsih: 0x6162,
      initiatorTaskTag: 0xa1a2a3a4,
      statSn: 0xe1e2e3e4,
      expCmdSn: 0xf1f2f3f4,
      maxCmdSn: 0x0a0b0c0d,
      statusClass: 2,
      statusDetail: 3,
    };
    const { hex, bytes } = encoded((into, base) => encodeLoginResponse(into, base, fields, 1));
    expect(hex).toBe(
      byHand(`23 81 00 00 00 000001 400102030405 6162 a1a2a3a4 00000000 ${TARGET_NUMBERS} 02 03
        ${"00".repeat(10)}`),
    );
    expect(decodeLoginResponse(bytes, BASE)).toEqual(fields);
  });

  it("Text Response, RFC 7143 11.11", () => {
    const fields = { final: false, continued: true, ...tags };
    const { hex, bytes } = encoded((into, base) => {
      encodeTextResponse(into, base, fields, 2);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`24 40 0000 00 000002 0000000000000000 a1a2a3a4 b1b2b3b4 ${TARGET_NUMBERS}
        ${"00".repeat(12)}`),
    );
    expect(decodeText(bytes, BASE)).toEqual(fields);
  });

  it("SCSI Data-In with and without a status, RFC 7143 11.7", () => {
    const encode = (into: Uint8Array, base: number): void => {
      encodeDataIn(into, base, DataInFlag.final, 512, 0xa1a2a3a4);
      setDataInPosition(into, base, 3, 0x51525354);
    };
    expect(encoded(encode).hex).toBe(
      byHand(`25 80 00 00 00 000200 0000000000000000 a1a2a3a4 ffffffff 00000000 00000000 00000000
        00000003 51525354 00000000`),
    );
    const { hex, bytes } = encoded((into, base) => {
      encode(into, base);
      setDataInStatus(into, base, 8, DataInFlag.underflow, 0x01020304);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`25 83 00 08 00 000200 0000000000000000 a1a2a3a4 ffffffff ${TARGET_NUMBERS}
        00000003 51525354 01020304`),
    );
    expect(decodeDataIn(bytes, BASE)).toEqual({
      flags: 0x83,
      status: 8,
      initiatorTaskTag: 0xa1a2a3a4,
      targetTransferTag: 0xffffffff,
      dataSn: 3,
      bufferOffset: 0x51525354,
      residualBytes: 0x01020304,
    });
  });

  it("Logout Response, RFC 7143 11.15", () => {
    const tag = { initiatorTaskTag: 0xa1a2a3a4 };
    const fields = { response: 1, ...tag, time2WaitSeconds: 0x0203, time2RetainSeconds: 0x0405 };
    const { hex, bytes } = encoded((into, base) => {
      encodeLogoutResponse(into, base, fields);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`26 80 01 00 00 000000 0000000000000000 a1a2a3a4 00000000 ${TARGET_NUMBERS}
        00000000 0203 0405 00000000`),
    );
    expect(decodeLogoutResponse(bytes, BASE)).toEqual(fields);
  });

  it("Ready To Transfer, RFC 7143 11.8", () => {
    const range = { r2tSn: 2, bufferOffset: 0x51525354, desiredDataTransferBytes: 0x31323334 };
    const { hex, bytes } = encoded((into, base) => {
      encodeReadyToTransfer(into, base, LUN, { ...tags, ...range });
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`31 80 0000 00 000000 ${LUN_HEX} a1a2a3a4 b1b2b3b4 ${TARGET_NUMBERS}
        00000002 51525354 31323334`),
    );
    expect(decodeReadyToTransfer(bytes, BASE)).toEqual({ ...tags, ...range });
  });

  it("Asynchronous Message, RFC 7143 11.9", () => {
    const parameters = { parameter1: 0x0102, parameter2: 0x0304, parameter3: 0x0506 };
    const fields = { asyncEvent: AsyncEvent.logoutRequested, ...parameters };
    const { hex, bytes } = encoded((into, base) => {
      encodeAsyncMessage(into, base, fields);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`32 80 0000 00 000000 0000000000000000 ffffffff 00000000 ${TARGET_NUMBERS}
        01 00 0102 0304 0506 00000000`),
    );
    expect(decodeAsyncMessage(bytes, BASE)).toEqual(fields);
  });

  it("Reject, RFC 7143 11.17", () => {
    const { hex, bytes } = encoded((into, base) => {
      encodeReject(into, base, RejectReason.protocolError);
      numbered(into, base);
    });
    expect(hex).toBe(
      byHand(`3f 80 04 00 00 000030 0000000000000000 ffffffff 00000000 ${TARGET_NUMBERS}
        00000000 0000000000000000`),
    );
    expect(decodeRejectReason(bytes, BASE)).toBe(4);
  });
});

describe("what all headers share", () => {
  it("pads to whole words", () => {
    expect([0, 1, 2, 3, 4, 5].map(paddedBytes)).toEqual([0, 4, 4, 4, 4, 8]);
  });

  it("places the numbers of the initiator", () => {
    const bytes = Buffer.alloc(BASIC_HEADER_BYTES);
    setInitiatorNumbers(bytes, 0, 0xfffffffe, 0x80000001);
    expect(bytes.toString("hex", 24, 32)).toBe("fffffffe80000001");
  });

  it("refuses layouts with a gap, an overlap, or an end elsewhere", () => {
    const tail = [8, 40] as const;
    expect(() => checkLayout("good", { a: [0, 8], b: tail })).not.toThrow();
    expect(() => checkLayout("gap", { a: [0, 7], b: tail })).toThrow(/gap: .*byte 7/);
    expect(() => checkLayout("overlap", { a: [0, 9], b: tail })).toThrow(/overlap: .*byte 9/);
    expect(() => checkLayout("short", { a: [0, 8] })).toThrow(/fill the basic header/);
  });
});
