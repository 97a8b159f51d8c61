import { getUint32BE, getUint8, setUint32BE } from "../../util/bytes.ts";
import { beginHeader } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, Opcode } from "./opcode.ts";

/** SCSI Data-Out, RFC 7143 11.7. */
export const DataOutField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  targetTransferTag: [20, 4],
  reserved24: [24, 4],
  expStatSn: [28, 4],
  reserved32: [32, 4],
  dataSn: [36, 4],
  bufferOffset: [40, 4],
  reserved44: [44, 4],
} as const;
checkLayout("SCSI Data-Out", DataOutField);

/** `targetTransferTag` is `RESERVED_TAG` in unsolicited data. */
export interface DataOutFields {
  readonly final: boolean;
  readonly lun: Uint8Array;
  readonly initiatorTaskTag: number;
  readonly targetTransferTag: number;
  readonly expStatSn: number;
  readonly dataSn: number;
  readonly bufferOffset: number;
  readonly dataSegmentBytes: number;
}

export function encodeDataOut(bytes: Uint8Array, base: number, fields: DataOutFields): void {
  const flags = fields.final ? FINAL_FLAG : 0;
  beginHeader(bytes, base, Opcode.dataOut, flags, fields.dataSegmentBytes);
  bytes.set(fields.lun, base + DataOutField.lun[0]);
  setUint32BE(bytes, base + DataOutField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(bytes, base + DataOutField.targetTransferTag[0], fields.targetTransferTag);
  setUint32BE(bytes, base + DataOutField.expStatSn[0], fields.expStatSn);
  setUint32BE(bytes, base + DataOutField.dataSn[0], fields.dataSn);
  setUint32BE(bytes, base + DataOutField.bufferOffset[0], fields.bufferOffset);
}

/* The target reads single fields: this runs for every piece of every large write. */

export function dataOutIsFinal(bytes: Uint8Array, base: number): boolean {
  return (getUint8(bytes, base + DataOutField.flags[0]) & FINAL_FLAG) !== 0;
}

export function dataOutTargetTransferTagOf(bytes: Uint8Array, base: number): number {
  return getUint32BE(bytes, base + DataOutField.targetTransferTag[0]);
}

export function dataOutDataSnOf(bytes: Uint8Array, base: number): number {
  return getUint32BE(bytes, base + DataOutField.dataSn[0]);
}

export function dataOutBufferOffsetOf(bytes: Uint8Array, base: number): number {
  return getUint32BE(bytes, base + DataOutField.bufferOffset[0]);
}
