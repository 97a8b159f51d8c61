import { getUint32BE, getUint8, setUint32BE, setUint8 } from "../../util/bytes.ts";
import { beginHeader } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, Opcode } from "./opcode.ts";

/** SCSI Response, RFC 7143 11.4. The data segment is a 2-byte sense length and the sense data. */
export const ScsiResponseField = {
  opcode: [0, 1],
  flags: [1, 1],
  response: [2, 1],
  status: [3, 1],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  reserved8: [8, 8],
  initiatorTaskTag: [16, 4],
  snackTag: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  expDataSn: [36, 4],
  bidirectionalReadResidualCount: [40, 4],
  residualCount: [44, 4],
} as const;
checkLayout("SCSI Response", ScsiResponseField);

/** Byte 1, RFC 7143 11.4.1. */
export const ResidualFlag = {
  bidirectionalOverflow: 0x10,
  bidirectionalUnderflow: 0x08,
  overflow: 0x04,
  underflow: 0x02,
} as const;

/** RFC 7143 11.4.3. */
export const ScsiResponseCode = { completedAtTarget: 0x00, targetFailure: 0x01 } as const;

/** Sequence numbers are added when the PDU leaves. */
export interface ScsiResponseFields {
  readonly residualFlags: number;
  readonly response: number;
  readonly status: number;
  readonly initiatorTaskTag: number;
  readonly expDataSn: number;
  readonly bidirectionalReadResidualBytes: number;
  readonly residualBytes: number;
  readonly dataSegmentBytes: number;
}

export function encodeScsiResponse(
  bytes: Uint8Array,
  base: number,
  fields: ScsiResponseFields,
): void {
  const flags = FINAL_FLAG | fields.residualFlags;
  beginHeader(bytes, base, Opcode.scsiResponse, flags, fields.dataSegmentBytes);
  setUint8(bytes, base + ScsiResponseField.response[0], fields.response);
  setUint8(bytes, base + ScsiResponseField.status[0], fields.status);
  setUint32BE(bytes, base + ScsiResponseField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(bytes, base + ScsiResponseField.expDataSn[0], fields.expDataSn);
  setUint32BE(
    bytes,
    base + ScsiResponseField.bidirectionalReadResidualCount[0],
    fields.bidirectionalReadResidualBytes,
  );
  setUint32BE(bytes, base + ScsiResponseField.residualCount[0], fields.residualBytes);
}

export function decodeScsiResponse(
  bytes: Uint8Array,
  base: number,
): Omit<ScsiResponseFields, "dataSegmentBytes"> {
  const field = (name: keyof typeof ScsiResponseField): number =>
    getUint32BE(bytes, base + ScsiResponseField[name][0]);
  return {
    residualFlags: getUint8(bytes, base + ScsiResponseField.flags[0]) & 0x1e,
    response: getUint8(bytes, base + ScsiResponseField.response[0]),
    status: getUint8(bytes, base + ScsiResponseField.status[0]),
    initiatorTaskTag: field("initiatorTaskTag"),
    expDataSn: field("expDataSn"),
    bidirectionalReadResidualBytes: field("bidirectionalReadResidualCount"),
    residualBytes: field("residualCount"),
  };
}
