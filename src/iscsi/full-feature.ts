import { assert } from "../util/assert.ts";
import { getUint16BE, getUint32BE, getUint8 } from "../util/bytes.ts";
import { serialLess } from "../util/serial-number.ts";
import { decodeLun } from "../scsi/lun.ts";
import { Sense } from "../scsi/sense.ts";
import { TaskManagementFunction, TaskManagementResponse } from "../scsi/task-management.ts";
import { CommandOrder } from "./command-window.ts";
import type { DataOutHeader } from "./data-out.ts";
import type { IscsiTask } from "./iscsi-task.ts";
import { DATA_IN_SEGMENT_BYTES_MAX, HELD_BYTES_MAX, IMMEDIATE_TASKS_MAX } from "./limits.ts";
import {
  additionalHeaderBytesOf,
  BASIC_HEADER_BYTES,
  BasicHeaderOffset,
  initiatorTaskTagOf,
  opcodeOf,
  paddedBytes,
} from "./pdu/basic-header.ts";
import {
  dataOutBufferOffsetOf,
  dataOutDataSnOf,
  dataOutIsFinal,
  dataOutTargetTransferTagOf,
} from "./pdu/data-out.ts";
import {
  decodeLogoutRequest,
  encodeLogoutResponse,
  LogoutReason,
  LogoutResponseCode,
  type LogoutRequestFields,
} from "./pdu/logout.ts";
import { decodeNop, encodeNopIn } from "./pdu/nop.ts";
import { IMMEDIATE_FLAG, Opcode, RESERVED_TAG } from "./pdu/opcode.ts";
import { RejectReason } from "./pdu/reject.ts";
import {
  AdditionalHeaderType,
  attributeOf,
  expectedDataTransferBytesOf,
  HEADER_CDB_BYTES,
  ScsiCommandField,
  ScsiCommandFlag,
} from "./pdu/scsi-command.ts";
import {
  decodeTaskManagementRequest,
  encodeTaskManagementResponse,
} from "./pdu/task-management.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { Session } from "./session.ts";
import type { TaskLink } from "./task-link.ts";
import type { TextPhase } from "./text-phase.ts";

/** What the full-feature phase asks of its connection beyond moving PDUs. */
export interface FullFeatureLink extends TaskLink {
  readonly cid: number;
  /** False once the connection is on its way down: nothing more is sent. */
  readonly live: boolean;
  /** Answers with a Reject PDU that shows the header at `base`. */
  reject(reason: RejectReason, bytes: Buffer, base: number, why: string): void;
  /** No further PDU is taken; the connection closes when all is sent. */
  finish(): void;
  /** The target was reset cold: every session of it ends. */
  coldReset(): void;
}

/** A numbered PDU that came before its turn. */
interface HeldPdu {
  readonly bytes: Buffer;
  readonly dataOffset: number;
  readonly dataBytes: number;
}

const NO_LUN = new Uint8Array(8);
/** The extended CDB of an additional header begins after its length, type and one reserved byte. */
const EXTENDED_CDB_OFFSET = 4;

/**
 * The full-feature phase of one connection (RFC 7143 chapters 4 and 11): takes PDUs apart, puts commands in order, and
 * hands them to the target device. Throws ProtocolError for what the peer must not do.
 */
export class FullFeature {
  readonly #link: FullFeatureLink;
  /** Null in a discovery session. */
  readonly #session: Session | null;
  readonly #text: TextPhase;
  readonly #held: Map<number, HeldPdu> = new Map();
  #heldBytes = 0;
  readonly #dataOutHeader: DataOutHeader = {
    targetTransferTag: 0,
    dataSn: 0,
    bufferOffset: 0,
    final: false,
  };
  /** Task management functions that wait for aborted tasks to end. */
  #functionCount = 0;
  /** The connection closes as soon as its tasks have ended; asking again changes nothing. */
  #loggingOut = false;
  /** CmdSN of a discovery session, which has no window object as it has no commands. */
  #discoveryCmdSn: number;

  constructor(link: FullFeatureLink, session: Session | null, text: TextPhase, firstCmdSn: number) {
    this.#link = link;
    this.#session = session;
    this.#text = text;
    this.#discoveryCmdSn = firstCmdSn;
  }

  get expCmdSn(): number {
    return this.#session === null ? this.#discoveryCmdSn : this.#session.window.expCmdSn;
  }

  /** In a discovery session one request at a time may come. */
  get maxCmdSn(): number {
    return this.#session === null ? this.#discoveryCmdSn : this.#session.window.maxCmdSn;
  }

  onPdu(bytes: Buffer, base: number, dataOffset: number, dataBytes: number, good: boolean): void {
    const opcode = opcodeOf(bytes, base);
    if (opcode === Opcode.dataOut) {
      this.#onDataOut(bytes, base, dataOffset, dataBytes, good);
      return;
    }
    if (!good) {
      // RFC 7143 7.8: the PDU is rejected and lost. Its CmdSN would be missing for ever at recovery level 0.
      const why = "data digest error in a PDU that recovery level 0 cannot replace";
      throw new ProtocolError(why, RejectReason.dataDigestError);
    }
    if (opcode === Opcode.snackRequest) {
      const why = "SNACK, which recovery level 0 does not have";
      this.#link.reject(RejectReason.snackReject, bytes, base, why);
      return;
    }
    if ((getUint8(bytes, base) & IMMEDIATE_FLAG) !== 0) {
      this.#execute(bytes, base, dataOffset, dataBytes);
      return;
    }
    this.#inOrder(bytes, base, dataOffset, dataBytes);
  }

  #inOrder(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const cmdSn = getUint32BE(bytes, base + BasicHeaderOffset.cmdSn);
    const session = this.#session;
    if (session === null) {
      if (cmdSn !== this.#discoveryCmdSn) return;
      this.#discoveryCmdSn = (cmdSn + 1) >>> 0;
      this.#execute(bytes, base, dataOffset, dataBytes);
      return;
    }
    const order = session.window.orderOf(cmdSn);
    if (order === CommandOrder.next) {
      session.window.advance();
      this.#execute(bytes, base, dataOffset, dataBytes);
      if (this.#held.size !== 0) this.#executeHeld(session);
    } else if (order === CommandOrder.early) {
      this.#hold(cmdSn, bytes, base, dataOffset, dataBytes);
    }
  }

  #hold(cmdSn: number, bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    if (this.#held.has(cmdSn)) return;
    const end = dataOffset + paddedBytes(dataBytes);
    this.#heldBytes += end - base;
    if (this.#heldBytes > HELD_BYTES_MAX) {
      throw new ProtocolError("too much was sent out of order, and the command before it never");
    }
    const copy = Buffer.from(bytes.subarray(base, end));
    this.#held.set(cmdSn, { bytes: copy, dataOffset: dataOffset - base, dataBytes });
  }

  #executeHeld(session: Session): void {
    while (this.#link.live) {
      const cmdSn = session.window.expCmdSn;
      const held = this.#held.get(cmdSn);
      if (held === undefined) return;
      this.#held.delete(cmdSn);
      this.#heldBytes -= held.bytes.length;
      session.window.advance();
      this.#execute(held.bytes, 0, held.dataOffset, held.dataBytes);
    }
  }

  #execute(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    switch (opcodeOf(bytes, base)) {
      case Opcode.scsiCommand:
        this.#onScsiCommand(bytes, base, dataOffset, dataBytes);
        return;
      case Opcode.nopOut:
        this.#onNopOut(bytes, base, dataOffset, dataBytes);
        return;
      case Opcode.taskManagementRequest:
        this.#onTaskManagement(bytes, base);
        return;
      case Opcode.textRequest:
        this.#text.onRequest(bytes, base, dataOffset, dataBytes);
        return;
      case Opcode.logoutRequest:
        this.#onLogout(decodeLogoutRequest(bytes, base));
        return;
      case Opcode.loginRequest:
        throw new ProtocolError(
          "a login request in full-feature phase",
          RejectReason.protocolError,
        );
      default:
        this.#link.reject(RejectReason.commandNotSupported, bytes, base, "an unknown opcode");
    }
  }

  #onScsiCommand(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const session = this.#session;
    const link = this.#link;
    if (session === null) {
      link.reject(RejectReason.protocolError, bytes, base, "a SCSI command in a discovery session");
      return;
    }
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
    const wrong = this.#checkData(bytes, base, flags, dataBytes);
    if (wrong !== "") {
      link.reject(RejectReason.invalidPduField, bytes, base, wrong);
      return;
    }
    const task = session.acquireTask(link);
    task.tag = tag;
    task.nexus = session.nexus;
    task.immediate = immediate;
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
      for (let index = 0; index < NO_LUN.length; index += 1) {
        task.lunBytes[index] = getUint8(bytes, lunAt + index);
      }
      if ((flags & ScsiCommandFlag.final) === 0) task.dataOut.expectUnsolicited();
    }
    if (additionalHeaderBytesOf(bytes, base) !== 0) this.#readAdditionalHeaders(task, bytes, base);
  }

  /** Additional header segments, RFC 7143 11.2.2. Unknown ones are passed over, malformed ones end the list. */
  #readAdditionalHeaders(task: IscsiTask, bytes: Buffer, base: number): void {
    const reads = (getUint8(bytes, base + BasicHeaderOffset.flags) & ScsiCommandFlag.read) !== 0;
    let at = base + BASIC_HEADER_BYTES;
    const end = at + additionalHeaderBytesOf(bytes, base);
    while (at + EXTENDED_CDB_OFFSET <= end) {
      const lengthBytes = getUint16BE(bytes, at);
      const type = getUint8(bytes, at + 2) & 0x3f;
      const next = at + paddedBytes(3 + lengthBytes);
      if (lengthBytes === 0 || next > end) return;
      if (type === AdditionalHeaderType.extendedCdb) {
        const count = Math.min(lengthBytes - 1, task.cdb.length - HEADER_CDB_BYTES);
        bytes.copy(
          task.cdb,
          HEADER_CDB_BYTES,
          at + EXTENDED_CDB_OFFSET,
          at + EXTENDED_CDB_OFFSET + count,
        );
        task.cdbBytes = HEADER_CDB_BYTES + count;
      } else if (type === AdditionalHeaderType.bidirectionalReadLength && lengthBytes >= 5) {
        if (reads) task.expectedInBytes = getUint32BE(bytes, at + EXTENDED_CDB_OFFSET);
      }
      at = next;
    }
  }

  #onDataOut(
    bytes: Buffer,
    base: number,
    dataOffset: number,
    dataBytes: number,
    good: boolean,
  ): void {
    const session = this.#session;
    const tag = initiatorTaskTagOf(bytes, base);
    const task = session?.tasks.get(tag);
    if (task === undefined || task.aborted) {
      // Data of a task that was aborted may still be under way; anything else nobody asked for.
      if (task === undefined && session?.wasAborted(tag) !== true) {
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
    if (task.ioRunning) {
      throw new ProtocolError("data of a task were lost while others of its are being written");
    }
    if (!task.ended) task.fail(Sense.protocolServiceCrcError);
  }

  #onNopOut(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const { initiatorTaskTag } = decodeNop(bytes, base);
    // Without a task tag it answers our ping; that it came is all that counts.
    if (initiatorTaskTag === RESERVED_TAG) return;
    const link = this.#link;
    const { sendQueue } = link;
    const echoedBytes = Math.min(
      dataBytes,
      link.parameters.initiatorMaxRecvDataSegmentLengthBytes,
      DATA_IN_SEGMENT_BYTES_MAX,
    );
    const at = sendQueue.reserve(echoedBytes);
    const fields = { lun: NO_LUN, initiatorTaskTag, targetTransferTag: RESERVED_TAG };
    encodeNopIn(sendQueue.buffer, at, fields, echoedBytes);
    bytes.copy(sendQueue.buffer, sendQueue.dataOffset(at), dataOffset, dataOffset + echoedBytes);
    link.commitStatus(at);
  }

  #onTaskManagement(bytes: Buffer, base: number): void {
    const session = this.#session;
    const link = this.#link;
    if (session === null) {
      link.reject(
        RejectReason.protocolError,
        bytes,
        base,
        "task management in a discovery session",
      );
      return;
    }
    const request = decodeTaskManagementRequest(bytes, base);
    const { initiatorTaskTag, functionCode, referencedTaskTag } = request;
    const rejected = this.#functionCount >= IMMEDIATE_TASKS_MAX;
    this.#functionCount += 1;
    const answer = (response: number): void => {
      this.#functionCount -= 1;
      if (!link.live) return;
      const at = link.sendQueue.reserve(0);
      encodeTaskManagementResponse(link.sendQueue.buffer, at, initiatorTaskTag, response);
      link.commitStatus(at);
      if (functionCode === TaskManagementFunction.targetColdReset && !rejected) link.coldReset();
    };
    if (rejected) {
      answer(TaskManagementResponse.functionRejected);
      return;
    }
    if (
      functionCode === TaskManagementFunction.abortTask &&
      !session.tasks.has(referencedTaskTag) &&
      serialLess(request.refCmdSn, request.cmdSn) &&
      this.#skipUnseen(session, request.refCmdSn)
    ) {
      // RFC 7143 11.6.1: the command was on its way, and is now considered received and aborted.
      answer(TaskManagementResponse.functionComplete);
      return;
    }
    const lun = decodeLun(request.lun, 0);
    if (this.#forgetAnswered(session, functionCode, lun, referencedTaskTag)) {
      answer(TaskManagementResponse.functionComplete);
      return;
    }
    session.target.device.manage(
      { nexus: session.nexus, function: functionCode, lun, tag: referencedTaskTag },
      answer,
    );
  }

  /**
   * Tasks of this session that wait for data before they are answered: they are aborted here. True when that was all
   * that the function asks for.
   */
  #forgetAnswered(session: Session, functionCode: number, lun: number, tag: number): boolean {
    switch (functionCode) {
      case TaskManagementFunction.abortTask:
        return session.forgetAnswered((task) => task.tag === tag) !== 0;
      case TaskManagementFunction.abortTaskSet:
      case TaskManagementFunction.clearTaskSet:
      case TaskManagementFunction.logicalUnitReset:
        session.forgetAnswered((task) => task.lun === lun);
        return false;
      case TaskManagementFunction.targetWarmReset:
      case TaskManagementFunction.targetColdReset:
        session.forgetAnswered(() => true);
        return false;
      default:
        return false;
    }
  }

  /** Counts a CmdSN that has not been executed as received, and drops the command when it waits here. */
  #skipUnseen(session: Session, refCmdSn: number): boolean {
    if (!session.window.skip(refCmdSn)) return false;
    const held = this.#held.get(refCmdSn);
    if (held !== undefined) {
      this.#held.delete(refCmdSn);
      this.#heldBytes -= held.bytes.length;
    }
    this.#executeHeld(session);
    return true;
  }

  #onLogout(request: LogoutRequestFields): void {
    if (request.reason === LogoutReason.removeForRecovery) {
      this.#answerLogout(request, LogoutResponseCode.recoveryNotSupported);
      return;
    }
    if (request.reason === LogoutReason.closeConnection && request.cid !== this.#link.cid) {
      this.#answerLogout(request, LogoutResponseCode.cidNotFound);
      return;
    }
    if (this.#loggingOut) return;
    this.#loggingOut = true;
    const close = (): void => {
      if (!this.#link.live) return;
      this.#answerLogout(request, LogoutResponseCode.closed);
      this.#link.finish();
    };
    if (this.#session === null) close();
    else this.#session.abortTasks(close);
  }

  #answerLogout(request: LogoutRequestFields, response: number): void {
    const link = this.#link;
    const at = link.sendQueue.reserve(0);
    assert(response >= 0, "a logout has a response");
    encodeLogoutResponse(link.sendQueue.buffer, at, {
      response,
      initiatorTaskTag: request.initiatorTaskTag,
      time2WaitSeconds: link.parameters.defaultTime2WaitSeconds,
      time2RetainSeconds: 0,
    });
    link.commitStatus(at);
  }
}
