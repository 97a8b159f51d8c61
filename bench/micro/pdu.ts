import {
  additionalHeaderBytesOf,
  BASIC_HEADER_BYTES,
  dataSegmentBytesOf,
  initiatorTaskTagOf,
  opcodeOf,
  setTargetNumbers,
} from "../../src/iscsi/pdu/basic-header.ts";
import {
  DataInFlag,
  decodeDataIn,
  encodeDataIn,
  setDataInPosition,
  setDataInStatus,
} from "../../src/iscsi/pdu/data-in.ts";
import {
  dataOutBufferOffsetOf,
  dataOutDataSnOf,
  dataOutIsFinal,
  dataOutTargetTransferTagOf,
  encodeDataOut,
} from "../../src/iscsi/pdu/data-out.ts";
import {
  decodeReadyToTransfer,
  encodeReadyToTransfer,
} from "../../src/iscsi/pdu/ready-to-transfer.ts";
import {
  attributeOf,
  encodeScsiCommand,
  expectedDataTransferBytesOf,
  ScsiCommandFlag,
} from "../../src/iscsi/pdu/scsi-command.ts";
import { decodeScsiResponse, encodeScsiResponse } from "../../src/iscsi/pdu/scsi-response.ts";
import { getUint8 } from "../../src/util/bytes.ts";
import type { MicroBench, MicroCase } from "./runner.ts";

/** A call goes through as many headers as a queue is deep: one alone takes no longer than the call itself. */
const HEADERS = 32;
const BYTES_4K = 4096;

const LUN = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0);
const CDB = Uint8Array.of(0x28, 0, 0, 0x12, 0x34, 0x50, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0);

type Codec = (bytes: Buffer, base: number, index: number) => number;

function codec(
  name: string,
  run: Codec,
  fill: (bytes: Buffer, base: number) => void = () => undefined,
): MicroCase {
  const bytes = Buffer.alloc(HEADERS * BASIC_HEADER_BYTES);
  for (let index = 0; index < HEADERS; index += 1) fill(bytes, index * BASIC_HEADER_BYTES);
  const all = (): number => {
    let sum = 0;
    for (let index = 0; index < HEADERS; index += 1) {
      sum += run(bytes, index * BASIC_HEADER_BYTES, index);
    }
    return sum;
  };
  return { name, operations: HEADERS, expected: all(), run: all };
}

/** The last byte that was written, so that what was encoded is looked at. */
function lastByte(bytes: Buffer, base: number): number {
  return getUint8(bytes, base + BASIC_HEADER_BYTES - 1) + getUint8(bytes, base);
}

const command = {
  immediate: false,
  flags: ScsiCommandFlag.final | ScsiCommandFlag.read,
  lun: LUN,
  initiatorTaskTag: 7,
  expectedDataTransferBytes: BYTES_4K,
  cmdSn: 100,
  expStatSn: 200,
  cdb: CDB,
  totalAdditionalHeaderWords: 0,
  dataSegmentBytes: 0,
};

const dataOut = {
  final: true,
  lun: LUN,
  initiatorTaskTag: 7,
  targetTransferTag: 9,
  expStatSn: 200,
  dataSn: 3,
  bufferOffset: 65_536,
  dataSegmentBytes: BYTES_4K,
};

const readyToTransfer = {
  initiatorTaskTag: 7,
  targetTransferTag: 9,
  r2tSn: 0,
  bufferOffset: 65_536,
  desiredDataTransferBytes: 131_072,
};

const response = {
  residualFlags: 0,
  response: 0,
  status: 0,
  initiatorTaskTag: 7,
  expDataSn: 1,
  bidirectionalReadResidualBytes: 0,
  residualBytes: 0,
  dataSegmentBytes: 0,
};

/** What every read that is served whole is answered with. */
function encodeWholeDataIn(bytes: Buffer, base: number, index: number): void {
  encodeDataIn(bytes, base, DataInFlag.final, BYTES_4K, index);
  setDataInPosition(bytes, base, 0, 0);
  setDataInStatus(bytes, base, 0, 0, 0);
  setTargetNumbers(bytes, base, 300 + index, 100, 356);
}

function encodeAnswer(bytes: Buffer, base: number, index: number): void {
  encodeScsiResponse(bytes, base, response);
  setTargetNumbers(bytes, base, 300 + index, 100, 356);
}

const OF_THE_TARGET: readonly MicroCase[] = [
  codec(
    "SCSI Command, read its fields",
    (bytes, base) =>
      opcodeOf(bytes, base) +
      dataSegmentBytesOf(bytes, base) +
      additionalHeaderBytesOf(bytes, base) +
      initiatorTaskTagOf(bytes, base) +
      attributeOf(bytes, base) +
      expectedDataTransferBytesOf(bytes, base),
    (bytes, base) => encodeScsiCommand(bytes, base, command),
  ),
  codec(
    "SCSI Data-Out, read its fields",
    (bytes, base) =>
      opcodeOf(bytes, base) +
      dataSegmentBytesOf(bytes, base) +
      initiatorTaskTagOf(bytes, base) +
      dataOutTargetTransferTagOf(bytes, base) +
      dataOutDataSnOf(bytes, base) +
      dataOutBufferOffsetOf(bytes, base) +
      (dataOutIsFinal(bytes, base) ? 1 : 0),
    (bytes, base) => encodeDataOut(bytes, base, dataOut),
  ),
  codec("SCSI Data-In with status, encode", (bytes, base, index) => {
    encodeWholeDataIn(bytes, base, index);
    return lastByte(bytes, base);
  }),
  codec("SCSI Response, encode", (bytes, base, index) => {
    encodeAnswer(bytes, base, index);
    return lastByte(bytes, base);
  }),
  codec("R2T, encode", (bytes, base, index) => {
    encodeReadyToTransfer(bytes, base, LUN, readyToTransfer);
    setTargetNumbers(bytes, base, 300 + index, 100, 356);
    return lastByte(bytes, base);
  }),
];

const OF_THE_INITIATOR: readonly MicroCase[] = [
  codec("SCSI Command, encode", (bytes, base) => {
    encodeScsiCommand(bytes, base, command);
    return lastByte(bytes, base);
  }),
  codec("SCSI Data-Out, encode", (bytes, base) => {
    encodeDataOut(bytes, base, dataOut);
    return lastByte(bytes, base);
  }),
  codec(
    "SCSI Data-In, decode",
    (bytes, base) => {
      const { initiatorTaskTag, bufferOffset, dataSn, status, flags } = decodeDataIn(bytes, base);
      return initiatorTaskTag + bufferOffset + dataSn + status + flags;
    },
    (bytes, base) => encodeWholeDataIn(bytes, base, 7),
  ),
  codec(
    "SCSI Response, decode",
    (bytes, base) => {
      const { initiatorTaskTag, status, residualBytes } = decodeScsiResponse(bytes, base);
      return initiatorTaskTag + status + residualBytes;
    },
    (bytes, base) => encodeAnswer(bytes, base, 7),
  ),
  codec(
    "R2T, decode",
    (bytes, base) => {
      const { targetTransferTag, bufferOffset, desiredDataTransferBytes } = decodeReadyToTransfer(
        bytes,
        base,
      );
      return targetTransferTag + bufferOffset + desiredDataTransferBytes;
    },
    (bytes, base) => encodeReadyToTransfer(bytes, base, LUN, readyToTransfer),
  ),
];

export const pduBench: MicroBench = {
  name: "pdu",
  about: "the codecs of the PDUs that commands consist of",
  prepare: () => ({ cases: [...OF_THE_TARGET, ...OF_THE_INITIATOR] }),
};
