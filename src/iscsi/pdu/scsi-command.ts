import { getUint32BE, getUint8, setUint32BE, setUint8 } from "../../util/bytes.ts";
import { beginHeader, setInitiatorNumbers } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { Opcode } from "./opcode.ts";

/** SCSI Command, RFC 7143 11.3. */
export const ScsiCommandField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  expectedDataTransferLength: [20, 4],
  cmdSn: [24, 4],
  expStatSn: [28, 4],
  cdb: [32, 16],
} as const;
checkLayout("SCSI Command", ScsiCommandField);

export const ScsiCommandFlag = {
  final: 0x80,
  read: 0x40,
  write: 0x20,
  attributeMask: 0x07,
} as const;

/** The part of a CDB that the basic header holds. */
export const HEADER_CDB_BYTES = 16;

/** Additional header segment types, RFC 7143 11.2.2.1. */
export const AdditionalHeaderType = { extendedCdb: 1, bidirectionalReadLength: 2 } as const;

export function attributeOf(bytes: Uint8Array, base: number): number {
  return getUint8(bytes, base + ScsiCommandField.flags[0]) & ScsiCommandFlag.attributeMask;
}

export function expectedDataTransferBytesOf(bytes: Uint8Array, base: number): number {
  return getUint32BE(bytes, base + ScsiCommandField.expectedDataTransferLength[0]);
}

/** What an initiator sends. */
export interface ScsiCommandFields {
  readonly immediate: boolean;
  /** `ScsiCommandFlag` bits and the task attribute. */
  readonly flags: number;
  readonly lun: Uint8Array;
  readonly initiatorTaskTag: number;
  readonly expectedDataTransferBytes: number;
  readonly cmdSn: number;
  readonly expStatSn: number;
  /** At most 16 bytes; longer ones continue in an additional header. */
  readonly cdb: Uint8Array;
  readonly totalAdditionalHeaderWords: number;
  readonly dataSegmentBytes: number;
}

export function encodeScsiCommand(
  bytes: Uint8Array,
  base: number,
  fields: ScsiCommandFields,
): void {
  const opcode = Opcode.scsiCommand | (fields.immediate ? 0x40 : 0);
  beginHeader(bytes, base, opcode, fields.flags, fields.dataSegmentBytes);
  setUint8(
    bytes,
    base + ScsiCommandField.totalAdditionalHeaderWords[0],
    fields.totalAdditionalHeaderWords,
  );
  bytes.set(fields.lun, base + ScsiCommandField.lun[0]);
  setUint32BE(bytes, base + ScsiCommandField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(
    bytes,
    base + ScsiCommandField.expectedDataTransferLength[0],
    fields.expectedDataTransferBytes,
  );
  setInitiatorNumbers(bytes, base, fields.cmdSn, fields.expStatSn);
  bytes.set(fields.cdb.subarray(0, HEADER_CDB_BYTES), base + ScsiCommandField.cdb[0]);
}
