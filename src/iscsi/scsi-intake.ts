import { getUint16BE, getUint32BE, getUint8 } from "../util/bytes.ts";
import { decodeLun, LUN_BYTES } from "../scsi/lun.ts";
import { CDB_BYTES_MAX } from "../scsi/task.ts";
import type { DataOutHeader } from "./data-out.ts";
import type { FullFeatureLink } from "./full-feature-link.ts";
import type { IscsiTask } from "./iscsi-task.ts";
import { IMMEDIATE_TASKS_MAX } from "./limits.ts";
import {
  additionalHeaderBytesOf,
  BASIC_HEADER_BYTES,
  BasicHeaderOffset,
  initiatorTaskTagOf,
  paddedBytes,
} from "./pdu/basic-header.ts";
import {
  dataOutBufferOffsetOf,
  dataOutDataSnOf,
  dataOutIsFinal,
  dataOutTargetTransferTagOf,
} from "./pdu/data-out.ts";
import { IMMEDIATE_FLAG, RESERVED_TAG } from "./pdu/opcode.ts";
import { RejectReason } from "./pdu/reject.ts";
import {
  AdditionalHeaderType,
  attributeOf,
  expectedDataTransferBytesOf,
  HEADER_CDB_BYTES,
  ScsiCommandField,
  ScsiCommandFlag,
} from "./pdu/scsi-command.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { Session } from "./session.ts";

const ADDITIONAL_HEADER_TYPE_MASK = 0x3f;

/** AHSLength of a bidirectional read length: a reserved byte and the length. */
const READ_LENGTH_BYTES = 5;

/** The extended CDB of an additional header begins after its length, type and one reserved byte. */
const EXTENDED_CDB_OFFSET = 4;

/** What is wrong with the additional headers of a command (RFC 7143 11.2.2); empty when nothing is. */
function checkAdditionalHeaders(bytes: Buffer, base: number): string {
  let at = base + BASIC_HEADER_BYTES;
  const end = at + additionalHeaderBytesOf(bytes, base);
  while (at < end) {
    const lengthBytes = getUint16BE(bytes, at);
    const type = getUint8(bytes, at + 2) & ADDITIONAL_HEADER_TYPE_MASK;
    at += paddedBytes(3 + lengthBytes);
    if (lengthBytes === 0) return "an additional header without a length";
    if (at > end) return "an additional header longer than there is";
    if (type === AdditionalHeaderType.extendedCdb) {
      if (HEADER_CDB_BYTES + lengthBytes - 1 > CDB_BYTES_MAX) return "a CDB that is too long";
    } else if (type === AdditionalHeaderType.bidirectionalReadLength) {
      if (lengthBytes !== READ_LENGTH_BYTES) return "a read length of another length";
    }
  }
  return "";
}

/** Takes SCSI Command and Data-Out PDUs apart (RFC 7143 11.3, 11.7), and makes and feeds tasks of them. */
export class ScsiIntake {
  readonly #link: FullFeatureLink;
  readonly #session: Session;
  readonly #dataOutHeader: DataOutHeader = {
    targetTransferTag: 0,
    dataSn: 0,
    bufferOffset: 0,
    final: false,
  };

  constructor(link: FullFeatureLink, session: Session) {
    this.#link = link;
    this.#session = session;
  }

  /** A command whose turn it is, with its immediate data. */
  onCommand(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const session = this.#session;
    const link = this.#link;
    const tag = initiatorTaskTagOf(bytes, base);
    const flags = getUint8(bytes, base + BasicHeaderOffset.flags);
    const immediate = (getUint8(bytes, base) & IMMEDIATE_FLAG) !== 0;
    if (tag === RESERVED_TAG) {
      link.reject(RejectReason.invalidPduField, bytes, base, "a SCSI command without a task tag");
      return;
    }
    if (session.tasks.has(tag)) {
      link.reject(RejectReason.taskInProgress, bytes, base, "the task tag is in use");
      return;
    }
    if (immediate && session.immediateCount >= IMMEDIATE_TASKS_MAX) {
      link.reject(RejectReason.immediateCommandReject, bytes, base, "too many immediate commands");
      return;
    }
    const wrong =
      this.#checkData(bytes, base, flags, dataBytes) || checkAdditionalHeaders(bytes, base);
    if (wrong !== "") {
      link.reject(RejectReason.invalidPduField, bytes, base, wrong);
      return;
    }
    const task = session.acquireTask(link);
    task.tag = tag;
    task.nexus = session.nexus;
    task.immediate = immediate;
    task.arrivedMs = link.receivedMs;
    this.#fill(task, bytes, base, flags);
    if (immediate) session.immediateCount += 1;
    else session.window.taskStarted();
    session.tasks.set(tag, task);
    session.target.device.dispatch(task);
    if (!task.retired) task.dataOut.begin(bytes, dataOffset, dataBytes);
  }

  /** What is wrong with the data that a command announces or brings; empty when nothing is. */
  #checkData(bytes: Buffer, base: number, flags: number, dataBytes: number): string {
    const { parameters } = this.#link;
    const writes = (flags & ScsiCommandFlag.write) !== 0;
    if (!writes) {
      if (dataBytes !== 0) return "data with a command that writes nothing";
      return (flags & ScsiCommandFlag.final) === 0 ? "a command without W bit is not final" : "";
    }
    const expectedBytes = expectedDataTransferBytesOf(bytes, base);
    if (dataBytes !== 0 && !parameters.immediateData)
      return "immediate data, which were negotiated off";
    if (dataBytes > parameters.firstBurstLengthBytes)
      return "immediate data beyond FirstBurstLength";
    if (dataBytes > expectedBytes) return "immediate data beyond the expected transfer length";
    if ((flags & ScsiCommandFlag.final) === 0 && parameters.initialR2t) {
      return "unsolicited data, which were negotiated off";
    }
    return "";
  }

  #fill(task: IscsiTask, bytes: Buffer, base: number, flags: number): void {
    const expectedBytes = expectedDataTransferBytesOf(bytes, base);
    const lunAt = base + BasicHeaderOffset.lun;
    task.lun = decodeLun(bytes, lunAt);
    task.attribute = attributeOf(bytes, base);
    const cdbAt = base + ScsiCommandField.cdb[0];
    for (let index = 0; index < HEADER_CDB_BYTES; index += 1) {
      task.cdb[index] = getUint8(bytes, cdbAt + index);
    }
    task.cdbBytes = HEADER_CDB_BYTES;
    task.expectedInBytes = (flags & ScsiCommandFlag.read) !== 0 ? expectedBytes : 0;
    task.expectedOutBytes = 0;
    if ((flags & ScsiCommandFlag.write) !== 0) {
      task.expectedOutBytes = expectedBytes;
      // With both directions the header's length is the write's; the read's comes in an additional header.
      task.expectedInBytes = 0;
      for (let index = 0; index < LUN_BYTES; index += 1) {
        task.lunBytes[index] = getUint8(bytes, lunAt + index);
      }
      if ((flags & ScsiCommandFlag.final) === 0) task.dataOut.expectUnsolicited();
    }
    if (additionalHeaderBytesOf(bytes, base) !== 0) this.#readAdditionalHeaders(task, bytes, base);
  }

  /** Additional header segments, RFC 7143 11.2.2, of the right lengths. Those of unknown types are passed over. */
  #readAdditionalHeaders(task: IscsiTask, bytes: Buffer, base: number): void {
    const reads = (getUint8(bytes, base + BasicHeaderOffset.flags) & ScsiCommandFlag.read) !== 0;
    let at = base + BASIC_HEADER_BYTES;
    const end = at + additionalHeaderBytesOf(bytes, base);
    while (at < end) {
      const lengthBytes = getUint16BE(bytes, at);
      const type = getUint8(bytes, at + 2) & ADDITIONAL_HEADER_TYPE_MASK;
      const next = at + paddedBytes(3 + lengthBytes);
      if (type === AdditionalHeaderType.extendedCdb) {
        const count = lengthBytes - 1;
        bytes.copy(
          task.cdb,
          HEADER_CDB_BYTES,
          at + EXTENDED_CDB_OFFSET,
          at + EXTENDED_CDB_OFFSET + count,
        );
        task.cdbBytes = HEADER_CDB_BYTES + count;
      } else if (type === AdditionalHeaderType.bidirectionalReadLength) {
        if (reads) task.expectedInBytes = getUint32BE(bytes, at + EXTENDED_CDB_OFFSET);
      }
      at = next;
    }
  }

  /** A Data-Out PDU; `good` is false when its data digest is wrong. Throws ProtocolError for what nobody invited. */
  onDataOut(
    bytes: Buffer,
    base: number,
    dataOffset: number,
    dataBytes: number,
    good: boolean,
  ): void {
    const session = this.#session;
    const tag = initiatorTaskTagOf(bytes, base);
    const task = session.tasks.get(tag);
    if (task === undefined || task.aborted) {
      // Data of a task that was aborted may still be under way; anything else nobody asked for.
      if (task === undefined && !session.wasAborted(tag)) {
        this.#link.reject(RejectReason.invalidPduField, bytes, base, "Data-Out for no task");
      }
      return;
    }
    const header = this.#dataOutHeader;
    header.targetTransferTag = dataOutTargetTransferTagOf(bytes, base);
    header.dataSn = dataOutDataSnOf(bytes, base);
    header.bufferOffset = dataOutBufferOffsetOf(bytes, base);
    header.final = dataOutIsFinal(bytes, base);
    if (!good) {
      this.#link.reject(RejectReason.dataDigestError, bytes, base, "data digest error");
      this.#failData(task);
    }
    if (!task.retired && !task.dataOut.receive(header, bytes, dataOffset, dataBytes)) {
      const why = `Data-Out with DataSN ${header.dataSn}, which is not the next`;
      this.#link.reject(RejectReason.protocolError, bytes, base, why);
      this.#failData(task);
      task.dataOut.receive(header, bytes, dataOffset, dataBytes);
    }
  }

  /** Data of a task are lost. RFC 7143 7.8: the target ends it itself, once all that is on its way has come. */
  #failData(task: IscsiTask): void {
    // One whose logical unit went away has its answer already, or gets it when its I/O ends.
    if (task.ended || task.expelled) return;
    if (task.ioRunning && !task.dataOut.writing) {
      throw new ProtocolError("data came for a task that has all of them and is at work");
    }
    task.dataOut.lose();
  }
}
