import { getUint32BE, setUint32BE } from "../../util/bytes.ts";
import { beginHeader } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, Opcode } from "./opcode.ts";

/** Ready To Transfer (R2T), RFC 7143 11.8. */
export const ReadyToTransferField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  targetTransferTag: [20, 4],
  statSn: [24, 4],
  expCmdSn: [28, 4],
  maxCmdSn: [32, 4],
  r2tSn: [36, 4],
  bufferOffset: [40, 4],
  desiredDataTransferLength: [44, 4],
} as const;
checkLayout("R2T", ReadyToTransferField);

export interface ReadyToTransferFields {
  readonly initiatorTaskTag: number;
  readonly targetTransferTag: number;
  readonly r2tSn: number;
  readonly bufferOffset: number;
  readonly desiredDataTransferBytes: number;
}

/** `lun` holds 8 bytes at `lunOffset`. Sequence numbers are added when the PDU leaves. */
export function encodeReadyToTransfer(
  bytes: Uint8Array,
  base: number,
  lun: Uint8Array,
  fields: ReadyToTransferFields,
): void {
  beginHeader(bytes, base, Opcode.readyToTransfer, FINAL_FLAG, 0);
  bytes.set(lun, base + ReadyToTransferField.lun[0]);
  setUint32BE(bytes, base + ReadyToTransferField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(bytes, base + ReadyToTransferField.targetTransferTag[0], fields.targetTransferTag);
  setUint32BE(bytes, base + ReadyToTransferField.r2tSn[0], fields.r2tSn);
  setUint32BE(bytes, base + ReadyToTransferField.bufferOffset[0], fields.bufferOffset);
  setUint32BE(
    bytes,
    base + ReadyToTransferField.desiredDataTransferLength[0],
    fields.desiredDataTransferBytes,
  );
}

export function decodeReadyToTransfer(bytes: Uint8Array, base: number): ReadyToTransferFields {
  return {
    initiatorTaskTag: getUint32BE(bytes, base + ReadyToTransferField.initiatorTaskTag[0]),
    targetTransferTag: getUint32BE(bytes, base + ReadyToTransferField.targetTransferTag[0]),
    r2tSn: getUint32BE(bytes, base + ReadyToTransferField.r2tSn[0]),
    bufferOffset: getUint32BE(bytes, base + ReadyToTransferField.bufferOffset[0]),
    desiredDataTransferBytes: getUint32BE(
      bytes,
      base + ReadyToTransferField.desiredDataTransferLength[0],
    ),
  };
}
