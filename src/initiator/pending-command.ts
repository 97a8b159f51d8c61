import type { DataInFields } from "../iscsi/pdu/data-in.ts";
import { DataInFlag } from "../iscsi/pdu/data-in.ts";
import { decodeScsiResponse, ResidualFlag } from "../iscsi/pdu/scsi-response.ts";
import { getUint16BE } from "../util/bytes.ts";
import { NO_RESIDUAL, type Command, type CommandResult, type Residual } from "./command.ts";
import { InitiatorError } from "./initiator-error.ts";
import type { ReceivedPdu } from "./pdu-reader.ts";
import { decodeSense } from "./sense.ts";

const NOTHING = new Uint8Array(0);

function residualOf(overflow: boolean, underflow: boolean, bytes: number): Residual {
  if (overflow && underflow) {
    throw new InitiatorError("protocol", "a residual is overflow and underflow at once");
  }
  if (!overflow && !underflow) return NO_RESIDUAL;
  return { kind: overflow ? "overflow" : "underflow", bytes };
}

/** A command that was given to the session: what has come of it so far. */
export class PendingCommand {
  readonly command: Command;
  /** Set when it is sent. */
  initiatorTaskTag = 0;
  /** Nobody waits any more (timeout): what still comes for it is dropped. */
  abandoned = false;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: InitiatorError) => void;
  timer: NodeJS.Timeout | null = null;
  #buffer: Uint8Array;
  #receivedEnd = 0;
  #dataSn = 0;
  #r2tSn = 0;

  constructor(
    command: Command,
    resolve: (result: CommandResult) => void,
    reject: (error: InitiatorError) => void,
  ) {
    this.command = command;
    this.resolve = resolve;
    this.reject = reject;
    const room = command.expectedInBytes ?? 0;
    this.#buffer = room === 0 ? NOTHING : Buffer.alloc(room);
  }

  /** Takes one R2T into account; they are numbered from 0 for each command. */
  countReadyToTransfer(r2tSn: number): void {
    if (r2tSn !== this.#r2tSn) {
      throw new InitiatorError("protocol", `R2TSN ${r2tSn} where ${this.#r2tSn} was due`);
    }
    this.#r2tSn += 1;
  }

  /** Takes the data of one Data-In PDU; returns the result when that carries the status. */
  takeDataIn(fields: DataInFields, data: Uint8Array): CommandResult | undefined {
    if (fields.dataSn !== this.#dataSn) {
      throw new InitiatorError("protocol", `DataSN ${fields.dataSn} where ${this.#dataSn} was due`);
    }
    this.#dataSn += 1;
    const end = fields.bufferOffset + data.length;
    if (fields.bufferOffset !== this.#receivedEnd) {
      throw new InitiatorError("protocol", "Data-In is out of order");
    }
    if (end > this.#buffer.length) {
      throw new InitiatorError("protocol", "Data-In goes beyond what the initiator has room for");
    }
    this.#buffer.set(data, fields.bufferOffset);
    this.#receivedEnd = end;
    if ((fields.flags & DataInFlag.status) === 0) return undefined;
    if ((fields.flags & DataInFlag.final) === 0) {
      throw new InitiatorError("protocol", "Data-In carries a status and is not final");
    }
    const residual = residualOf(
      (fields.flags & DataInFlag.overflow) !== 0,
      (fields.flags & DataInFlag.underflow) !== 0,
      fields.residualBytes,
    );
    return {
      ...this.#common(),
      status: fields.status,
      response: 0,
      sense: undefined,
      senseBytes: NOTHING,
      residual,
      readResidual: NO_RESIDUAL,
      statusInData: true,
    };
  }

  takeResponse(pdu: ReceivedPdu): CommandResult {
    const fields = decodeScsiResponse(pdu.header, 0);
    const flags = fields.residualFlags;
    const senseBytes = senseBytesOf(pdu.data);
    return {
      ...this.#common(),
      status: fields.status,
      response: fields.response,
      sense: decodeSense(senseBytes),
      senseBytes,
      residual: residualOf(
        (flags & ResidualFlag.overflow) !== 0,
        (flags & ResidualFlag.underflow) !== 0,
        fields.residualBytes,
      ),
      readResidual: residualOf(
        (flags & ResidualFlag.bidirectionalOverflow) !== 0,
        (flags & ResidualFlag.bidirectionalUnderflow) !== 0,
        fields.bidirectionalReadResidualBytes,
      ),
      statusInData: false,
    };
  }

  #common(): Pick<CommandResult, "dataIn" | "dataInPdus" | "readyToTransferPdus"> {
    return {
      dataIn: this.#buffer.subarray(0, this.#receivedEnd),
      dataInPdus: this.#dataSn,
      readyToTransferPdus: this.#r2tSn,
    };
  }
}

/** The data segment of a SCSI Response: a length, and that much sense data (RFC 7143 11.4.7). */
function senseBytesOf(data: Uint8Array): Uint8Array {
  if (data.length < 2) return NOTHING;
  const lengthBytes = getUint16BE(data, 0);
  if (lengthBytes > data.length - 2) {
    throw new InitiatorError("protocol", "sense data is shorter than its length says");
  }
  return data.subarray(2, 2 + lengthBytes);
}
