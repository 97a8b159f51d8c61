import { getUint32BE, getUint8, setUint32BE, setUint8 } from "../../util/bytes.ts";
import { beginHeader } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { Opcode, RESERVED_TAG } from "./opcode.ts";

/** SCSI Data-In, RFC 7143 11.7. */
export const DataInField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 1],
  status: [3, 1],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  targetTransferTag: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  dataSn: [36, 4],
  bufferOffset: [40, 4],
  residualCount: [44, 4],
} as const;
checkLayout("SCSI Data-In", DataInField);

/** `status`: this PDU carries the command's status too (phase collapse), which can only be one without sense. */
export const DataInFlag = {
  final: 0x80,
  acknowledge: 0x40,
  overflow: 0x04,
  underflow: 0x02,
  status: 0x01,
} as const;

/** Scalars, not an object: a Data-In PDU is made per read command. Sequence numbers are added when it leaves. */
export function encodeDataIn(
  bytes: Uint8Array,
  base: number,
  flags: number,
  dataSegmentBytes: number,
  initiatorTaskTag: number,
): void {
  beginHeader(bytes, base, Opcode.dataIn, flags, dataSegmentBytes);
  setUint32BE(bytes, base + DataInField.initiatorTaskTag[0], initiatorTaskTag);
  setUint32BE(bytes, base + DataInField.targetTransferTag[0], RESERVED_TAG);
}

/** Where the data belong: the number of this PDU in the command, and the offset of its first byte. */
export function setDataInPosition(
  bytes: Uint8Array,
  base: number,
  dataSn: number,
  bufferOffset: number,
): void {
  setUint32BE(bytes, base + DataInField.dataSn[0], dataSn);
  setUint32BE(bytes, base + DataInField.bufferOffset[0], bufferOffset);
}

/** Adds the status of the command to its last Data-In PDU. */
export function setDataInStatus(
  bytes: Uint8Array,
  base: number,
  status: number,
  residualFlags: number,
  residualBytes: number,
): void {
  const flags = getUint8(bytes, base + DataInField.flags[0]);
  setUint8(bytes, base + DataInField.flags[0], flags | DataInFlag.status | residualFlags);
  setUint8(bytes, base + DataInField.status[0], status);
  setUint32BE(bytes, base + DataInField.residualCount[0], residualBytes);
}

export interface DataInFields {
  readonly flags: number;
  readonly status: number;
  readonly initiatorTaskTag: number;
  readonly targetTransferTag: number;
  readonly dataSn: number;
  readonly bufferOffset: number;
  readonly residualBytes: number;
}

export function decodeDataIn(bytes: Uint8Array, base: number): DataInFields {
  return {
    flags: getUint8(bytes, base + DataInField.flags[0]),
    status: getUint8(bytes, base + DataInField.status[0]),
    initiatorTaskTag: getUint32BE(bytes, base + DataInField.initiatorTaskTag[0]),
    targetTransferTag: getUint32BE(bytes, base + DataInField.targetTransferTag[0]),
    dataSn: getUint32BE(bytes, base + DataInField.dataSn[0]),
    bufferOffset: getUint32BE(bytes, base + DataInField.bufferOffset[0]),
    residualBytes: getUint32BE(bytes, base + DataInField.residualCount[0]),
  };
}
