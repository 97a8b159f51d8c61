import { crc32c } from "../../native-free/crc32c.ts";
import { BASIC_HEADER_BYTES, DIGEST_BYTES, paddedBytes } from "../iscsi/pdu/basic-header.ts";
import { encodeDataOut } from "../iscsi/pdu/data-out.ts";
import type { ReadyToTransferFields } from "../iscsi/pdu/ready-to-transfer.ts";
import { encodeScsiCommand, ScsiCommandField, ScsiCommandFlag } from "../iscsi/pdu/scsi-command.ts";
import { assert } from "../util/assert.ts";
import { setUint16BE, setUint32BE, setUint64BE } from "../util/bytes.ts";
import { encodeLun } from "./command.ts";
import { immediateBytesOf, UNSOLICITED_TAG, unsolicitedBytesOf } from "./data-out-sender.ts";
import { LoadAction, type Load } from "./load.ts";
import type { SessionParameters } from "./parameters.ts";

/** SBC-3 5.28: header, and one block descriptor. */
const UNMAP_PARAMETER_BYTES = 24;
const UNMAP_LBA_OFFSET = 8;

const FILLER = 0x5a;

const CDB_OPCODE: Readonly<Record<LoadAction, number>> = {
  [LoadAction.read]: 0x88,
  [LoadAction.write]: 0x8a,
  [LoadAction.flush]: 0x91,
  [LoadAction.unmap]: 0x42,
};

/** A command with its immediate and other unsolicited data, ready to be sent again and again. */
export interface LoadFrame {
  readonly bytes: Buffer;
  /** What the command gives in all: its solicited data are of this. */
  readonly dataOut: Buffer;
  readonly lun: Uint8Array;
  /** Where the address is in `bytes`; -1 where the command has none. */
  readonly addressAt: number;
  /** The immediate data that hold the address: their digest follows it. [0, 0] where the header does. */
  readonly signedData: readonly [start: number, end: number];
}

/** Makes the PDUs of a load: what is the same in all commands is encoded, and digested, once. */
export class LoadFrames {
  readonly #load: Load;
  readonly #parameters: SessionParameters;
  readonly #payload: Buffer;
  readonly #headerBytes: number;
  /** By length: all data are of the same filler. */
  readonly #payloadDigests: Map<number, number> = new Map();

  constructor(load: Load, parameters: SessionParameters) {
    this.#load = load;
    this.#parameters = parameters;
    this.#payload = Buffer.alloc(load.kind === "read" ? 0 : load.commandBytes, FILLER);
    this.#headerBytes = BASIC_HEADER_BYTES + (parameters.headerDigest ? DIGEST_BYTES : 0);
  }

  /** What follows the basic header of a PDU with so much data: digests, data and padding. */
  bytesAfterHeader(dataSegmentBytes: number): number {
    const { headerDigest, dataDigest } = this.#parameters;
    const hasDataDigest = dataDigest && dataSegmentBytes > 0;
    return (
      (headerDigest ? DIGEST_BYTES : 0) +
      paddedBytes(dataSegmentBytes) +
      (hasDataDigest ? DIGEST_BYTES : 0)
    );
  }

  make(slot: number, action: LoadAction, expStatSn: number): LoadFrame {
    const luns = this.#load.luns ?? [this.#load.lun];
    const lun = encodeLun(luns[slot % luns.length] ?? this.#load.lun);
    const dataOut = this.#dataOutOf(action);
    const immediateBytes = immediateBytesOf(this.#parameters, dataOut.length);
    const end = unsolicitedBytesOf(this.#parameters, dataOut.length);
    const command = this.#commandPdu(slot, action, lun, dataOut);
    const sequence = { lun, initiatorTaskTag: slot, targetTransferTag: UNSOLICITED_TAG, expStatSn };
    const unsolicited = this.#dataOutPdus(sequence, dataOut, immediateBytes, end);
    const unmaps = action === LoadAction.unmap;
    const dataAt = this.#headerBytes;
    const address = unmaps ? dataAt + UNMAP_LBA_OFFSET : ScsiCommandField.cdb[0] + 2;
    assert(!unmaps || immediateBytes === dataOut.length, "an UNMAP's list goes with the command");
    return {
      bytes: Buffer.concat([command, ...unsolicited]),
      dataOut,
      lun,
      addressAt: action === LoadAction.flush ? -1 : address,
      signedData: unmaps ? [dataAt, dataAt + UNMAP_PARAMETER_BYTES] : [0, 0],
    };
  }

  /** Makes a frame the next command. */
  prepare(frame: LoadFrame, block: number, cmdSn: number, expStatSn: number): void {
    const { bytes, addressAt, signedData } = frame;
    if (addressAt >= 0) setUint64BE(bytes, addressAt, block);
    setUint32BE(bytes, ScsiCommandField.cmdSn[0], cmdSn);
    setUint32BE(bytes, ScsiCommandField.expStatSn[0], expStatSn);
    if (this.#parameters.headerDigest) {
      const digest = crc32c(bytes, 0, BASIC_HEADER_BYTES);
      bytes.writeUInt32LE(digest, BASIC_HEADER_BYTES);
    }
    const [start, end] = signedData;
    if (this.#parameters.dataDigest && end > 0) {
      bytes.writeUInt32LE(crc32c(bytes, start, end), end);
    }
  }

  /** The data that an R2T asks for, in PDUs. */
  answer(frame: LoadFrame, request: ReadyToTransferFields, expStatSn: number): Buffer[] {
    const { initiatorTaskTag, targetTransferTag, bufferOffset } = request;
    const sequence = { lun: frame.lun, initiatorTaskTag, targetTransferTag, expStatSn };
    const end = bufferOffset + request.desiredDataTransferBytes;
    return this.#dataOutPdus(sequence, frame.dataOut, bufferOffset, end);
  }

  #dataOutOf(action: LoadAction): Buffer {
    if (action === LoadAction.write) return this.#payload;
    if (action !== LoadAction.unmap) return Buffer.alloc(0);
    const parameter = Buffer.alloc(UNMAP_PARAMETER_BYTES);
    setUint16BE(parameter, 0, UNMAP_PARAMETER_BYTES - 2);
    setUint16BE(parameter, 2, UNMAP_PARAMETER_BYTES - 8);
    setUint32BE(parameter, 16, this.#load.commandBytes / this.#load.blockBytes);
    return parameter;
  }

  #cdb(action: LoadAction): Uint8Array {
    const cdb = new Uint8Array(16);
    cdb[0] = CDB_OPCODE[action];
    if (action === LoadAction.unmap) setUint16BE(cdb, 7, UNMAP_PARAMETER_BYTES);
    else if (action !== LoadAction.flush) {
      setUint32BE(cdb, 10, this.#load.commandBytes / this.#load.blockBytes);
    }
    return cdb;
  }

  #commandPdu(slot: number, action: LoadAction, lun: Uint8Array, dataOut: Buffer): Buffer {
    const reads = action === LoadAction.read;
    const immediateBytes = immediateBytesOf(this.#parameters, dataOut.length);
    const isFinal = unsolicitedBytesOf(this.#parameters, dataOut.length) === immediateBytes;
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    encodeScsiCommand(header, 0, {
      immediate: false,
      flags:
        (isFinal ? ScsiCommandFlag.final : 0) |
        (dataOut.length > 0 ? ScsiCommandFlag.write : 0) |
        (reads ? ScsiCommandFlag.read : 0) |
        1,
      lun,
      initiatorTaskTag: slot,
      expectedDataTransferBytes: reads ? this.#load.commandBytes : dataOut.length,
      cmdSn: 0,
      expStatSn: 0,
      cdb: this.#cdb(action),
      totalAdditionalHeaderWords: 0,
      dataSegmentBytes: immediateBytes,
    });
    return Buffer.concat(this.#framed(header, dataOut.subarray(0, immediateBytes)));
  }

  #dataOutPdus(
    sequence: {
      readonly lun: Uint8Array;
      readonly initiatorTaskTag: number;
      readonly targetTransferTag: number;
      readonly expStatSn: number;
    },
    dataOut: Buffer,
    start: number,
    end: number,
  ): Buffer[] {
    const pieceBytesMax = this.#parameters.targetMaxRecvDataSegmentLength;
    const pdus: Buffer[] = [];
    let dataSn = 0;
    for (let at = start; at < end; at += pieceBytesMax) {
      const dataSegmentBytes = Math.min(pieceBytesMax, end - at);
      const header = new Uint8Array(BASIC_HEADER_BYTES);
      const final = at + dataSegmentBytes === end;
      encodeDataOut(header, 0, {
        ...sequence,
        final,
        dataSn,
        bufferOffset: at,
        dataSegmentBytes,
      });
      pdus.push(...this.#framed(header, dataOut.subarray(at, at + dataSegmentBytes)));
      dataSn += 1;
    }
    return pdus;
  }

  /** The header with its digest, the data as they lie, and what follows them. */
  #framed(header: Uint8Array, data: Buffer): Buffer[] {
    const { headerDigest, dataDigest } = this.#parameters;
    const head = Buffer.alloc(this.#headerBytes);
    head.set(header);
    if (headerDigest) head.writeUInt32LE(crc32c(head, 0, BASIC_HEADER_BYTES), BASIC_HEADER_BYTES);
    if (data.length === 0) return [head];
    assert(data.length % 4 === 0, "data need no padding");
    if (!dataDigest) return [head, data];
    const tail = Buffer.alloc(DIGEST_BYTES);
    tail.writeUInt32LE(this.#digestOf(data), 0);
    return [head, data, tail];
  }

  #digestOf(data: Buffer): number {
    if (data.buffer !== this.#payload.buffer) return crc32c(data, 0, data.length);
    const known = this.#payloadDigests.get(data.length);
    if (known !== undefined) return known;
    const digest = crc32c(data, 0, data.length);
    this.#payloadDigests.set(data.length, digest);
    return digest;
  }
}
