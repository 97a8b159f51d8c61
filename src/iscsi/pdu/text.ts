import { getUint32BE, getUint8, setUint32BE } from "../../util/bytes.ts";
import { beginHeader, setInitiatorNumbers } from "./basic-header.ts";
import { checkLayout } from "./layout.ts";
import { FINAL_FLAG, IMMEDIATE_FLAG, Opcode } from "./opcode.ts";

/** Text Request, RFC 7143 11.10. */
export const TextRequestField = {
  opcode: [0, 1],
  flags: [1, 1],
  reserved2: [2, 2],
  totalAdditionalHeaderWords: [4, 1],
  dataSegmentLength: [5, 3],
  lun: [8, 8],
  initiatorTaskTag: [16, 4],
  targetTransferTag: [20, 4],
  cmdSn: [24, 4],
  expStatSn: [28, 4],
  reserved32: [32, 16],
} as const;
checkLayout("Text Request", TextRequestField);

/** Text Response, RFC 7143 11.11. */
export const TextResponseField = {
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
  reserved36: [36, 12],
} as const;
checkLayout("Text Response", TextResponseField);

const CONTINUE_FLAG = 0x40;

/** What requests and responses share. */
export interface TextFields {
  readonly final: boolean;
  readonly continued: boolean;
  readonly initiatorTaskTag: number;
  readonly targetTransferTag: number;
}

export function decodeText(bytes: Uint8Array, base: number): TextFields {
  const flags = getUint8(bytes, base + TextRequestField.flags[0]);
  return {
    final: (flags & FINAL_FLAG) !== 0,
    continued: (flags & CONTINUE_FLAG) !== 0,
    initiatorTaskTag: getUint32BE(bytes, base + TextRequestField.initiatorTaskTag[0]),
    targetTransferTag: getUint32BE(bytes, base + TextRequestField.targetTransferTag[0]),
  };
}

function encodeText(
  bytes: Uint8Array,
  base: number,
  opcode: number,
  fields: TextFields,
  dataSegmentBytes: number,
): void {
  const flags = (fields.final ? FINAL_FLAG : 0) | (fields.continued ? CONTINUE_FLAG : 0);
  beginHeader(bytes, base, opcode, flags, dataSegmentBytes);
  setUint32BE(bytes, base + TextRequestField.initiatorTaskTag[0], fields.initiatorTaskTag);
  setUint32BE(bytes, base + TextRequestField.targetTransferTag[0], fields.targetTransferTag);
}

export interface TextRequestFields extends TextFields {
  readonly immediate: boolean;
  readonly cmdSn: number;
  readonly expStatSn: number;
}

export function encodeTextRequest(
  bytes: Uint8Array,
  base: number,
  fields: TextRequestFields,
  dataSegmentBytes: number,
): void {
  const opcode = Opcode.textRequest | (fields.immediate ? IMMEDIATE_FLAG : 0);
  encodeText(bytes, base, opcode, fields, dataSegmentBytes);
  setInitiatorNumbers(bytes, base, fields.cmdSn, fields.expStatSn);
}

/** Sequence numbers are added when the PDU leaves. */
export function encodeTextResponse(
  bytes: Uint8Array,
  base: number,
  fields: TextFields,
  dataSegmentBytes: number,
): void {
  encodeText(bytes, base, Opcode.textResponse, fields, dataSegmentBytes);
}
