import {
  AsyncEvent,
  decodeAsyncMessage,
  type AsyncMessageFields,
} from "../iscsi/pdu/async-message.ts";
import { BASIC_HEADER_BYTES, initiatorTaskTagOf, opcodeOf } from "../iscsi/pdu/basic-header.ts";
import { DataInFlag, decodeDataIn } from "../iscsi/pdu/data-in.ts";
import { decodeLogoutResponse, encodeLogoutRequest, LogoutReason } from "../iscsi/pdu/logout.ts";
import { decodeNop, encodeNopOut } from "../iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../iscsi/pdu/opcode.ts";
import { decodeReadyToTransfer } from "../iscsi/pdu/ready-to-transfer.ts";
import { decodeRejectReason } from "../iscsi/pdu/reject.ts";
import { encodeScsiCommand, ScsiCommandFlag } from "../iscsi/pdu/scsi-command.ts";
import {
  decodeTaskManagementResponse,
  encodeTaskManagementRequest,
} from "../iscsi/pdu/task-management.ts";
import { decodeText as decodeTextHeader, encodeTextRequest } from "../iscsi/pdu/text.ts";
import { assert } from "../util/assert.ts";
import { additionalHeaderOf, encodeLun, type Command, type CommandResult } from "./command.ts";
import type { Connection } from "./connection.ts";
import {
  immediateBytesOf,
  sendDataOut,
  unsolicitedBytesOf,
  UNSOLICITED_TAG,
} from "./data-out-sender.ts";
import { InitiatorError } from "./initiator-error.ts";
import { ANSWER_TIMEOUT_MS, COMMAND_TIMEOUT_MS, TEXT_BYTES_MAX } from "./limits.ts";
import type { LoginResult } from "./login.ts";
import type { SessionParameters } from "./parameters.ts";
import { PendingCommand } from "./pending-command.ts";
import type { ReceivedPdu } from "./pdu-reader.ts";
import { SequenceNumbers } from "./sequence-numbers.ts";
import { TaskAttribute } from "./task-attribute.ts";
import { decodeText, encodeText, type TextPair } from "./text-keys.ts";

/** What happens to a session by itself. */
export interface SessionEvents {
  asyncMessage?(message: AsyncMessageFields): void;
  /** The target asked whether this side lives; the answer is already on its way. */
  pinged?(): void;
  /** A Reject PDU that belongs to no request that waits. */
  rejected?(reason: number, rejectedHeader: Uint8Array): void;
  /** Once, when the session is over; after a logout too. */
  closed?(error: InitiatorError): void;
}

/** A task management function, RFC 7143 11.5. */
export interface TaskManagement {
  readonly functionCode: number;
  readonly lun: number;
  readonly referencedTaskTag?: number;
  /** CmdSN of the referenced task, for ABORT TASK. */
  readonly refCmdSn?: number;
  readonly immediate?: boolean;
}

interface Waiting {
  readonly resolve: (pdu: ReceivedPdu) => void;
  readonly reject: (error: InitiatorError) => void;
  readonly timer: NodeJS.Timeout;
}

const NO_LUN = new Uint8Array(8);

/** A session in full feature phase, with one connection. Everything that it promises rejects with `InitiatorError`. */
export class InitiatorSession {
  readonly parameters: SessionParameters;
  readonly isid: string;
  readonly tsih: number;
  readonly #connection: Connection;
  readonly #cid: number;
  readonly #events: SessionEvents;
  readonly #numbers: SequenceNumbers;
  /** On the wire, by tag. */
  readonly #commands: Map<number, PendingCommand> = new Map();
  /** Waiting for the command window. */
  readonly #queue: PendingCommand[] = [];
  readonly #requests: Map<number, Waiting> = new Map();
  #nextTag = 1;

  constructor(
    connection: Connection,
    result: LoginResult,
    identity: { readonly isid: string; readonly cid: number },
    events: SessionEvents = {},
  ) {
    this.#connection = connection;
    this.parameters = result.parameters;
    this.isid = identity.isid;
    this.#cid = identity.cid;
    this.tsih = result.tsih;
    this.#numbers = new SequenceNumbers(result);
    this.#events = events;
    connection.listen(
      (pdu) => this.#receive(pdu),
      (error) => this.#failAll(error),
    );
  }

  /** Why the session is over, or null while it lives. */
  get closed(): InitiatorError | null {
    return this.#connection.closed;
  }

  get connection(): Connection {
    return this.#connection;
  }

  get numbers(): SequenceNumbers {
    return this.#numbers;
  }

  /** Commands that have not ended: on the wire, or waiting for the window. */
  get outstanding(): number {
    return this.#commands.size + this.#queue.length;
  }

  /** Runs one command. Any SCSI status is a result; what rejects is transport, protocol and time. */
  execute(command: Command): Promise<CommandResult> {
    const ended = this.#connection.closed;
    if (ended !== null) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      const pending = new PendingCommand(command, resolve, reject);
      const timeoutMs = command.timeoutMs ?? COMMAND_TIMEOUT_MS;
      pending.timer = setTimeout(() => this.#timeOut(pending), timeoutMs);
      if (command.immediate === true) {
        this.#sendCommand(pending);
      } else {
        this.#queue.push(pending);
        this.#pump();
      }
    });
  }

  /** Pings the target; resolves with the ping data that came back. */
  async ping(data: Uint8Array = new Uint8Array(0), immediate = true): Promise<Uint8Array> {
    const answer = await this.#request(immediate, (initiatorTaskTag, cmdSn, expStatSn) => {
      const header = new Uint8Array(BASIC_HEADER_BYTES);
      const tags = { initiatorTaskTag, targetTransferTag: RESERVED_TAG };
      const fields = { ...tags, lun: NO_LUN, immediate, cmdSn, expStatSn };
      encodeNopOut(header, 0, fields, data.length);
      this.#connection.send(header, data);
    });
    return expectOpcode(answer, Opcode.nopIn).data;
  }

  /** One text negotiation, continued until the target has said everything. */
  async text(pairs: readonly TextPair[]): Promise<TextPair[]> {
    const pieces: Uint8Array[] = [];
    let textBytes = 0;
    let targetTransferTag: number = RESERVED_TAG;
    let data: Uint8Array = encodeText(pairs);
    // One tag for all requests of the exchange, RFC 7143 11.10.3.
    const ownTag = this.#takeTag();
    for (;;) {
      const tag = targetTransferTag;
      const piece = data;
      const pdu = await this.#request(
        true,
        (initiatorTaskTag, cmdSn, expStatSn) => {
          const header = new Uint8Array(BASIC_HEADER_BYTES);
          const tags = { initiatorTaskTag, targetTransferTag: tag };
          const flags = { final: true, continued: false, immediate: true };
          encodeTextRequest(header, 0, { ...flags, ...tags, cmdSn, expStatSn }, piece.length);
          this.#connection.send(header, piece);
        },
        ownTag,
      );
      expectOpcode(pdu, Opcode.textResponse);
      const fields = decodeTextHeader(pdu.header, 0);
      pieces.push(pdu.data);
      textBytes += pdu.data.length;
      if (textBytes > TEXT_BYTES_MAX) {
        throw new InitiatorError("protocol", "the target's text has no end");
      }
      if (fields.final) return decodeText(Buffer.concat(pieces));
      targetTransferTag = fields.targetTransferTag;
      data = new Uint8Array(0);
    }
  }

  /** Resolves with the response code, RFC 7143 11.6.1. */
  async manage(management: TaskManagement): Promise<number> {
    const { functionCode, lun, immediate = true } = management;
    const pdu = await this.#request(immediate, (initiatorTaskTag, cmdSn, expStatSn) => {
      const header = new Uint8Array(BASIC_HEADER_BYTES);
      encodeTaskManagementRequest(header, 0, {
        immediate,
        functionCode,
        lun: encodeLun(lun),
        initiatorTaskTag,
        referencedTaskTag: management.referencedTaskTag ?? RESERVED_TAG,
        cmdSn,
        expStatSn,
        refCmdSn: management.refCmdSn ?? 0,
      });
      this.#connection.send(header);
    });
    return decodeTaskManagementResponse(expectOpcode(pdu, Opcode.taskManagementResponse).header, 0);
  }

  /** Logs out and closes the connection. Resolves with the response code, RFC 7143 11.15.1. */
  async logout(
    reason: number = LogoutReason.closeSession,
    cid: number = this.#cid,
  ): Promise<number> {
    const pdu = await this.#request(true, (initiatorTaskTag, cmdSn, expStatSn) => {
      const header = new Uint8Array(BASIC_HEADER_BYTES);
      const fields = { immediate: true, reason, initiatorTaskTag, cid, cmdSn, expStatSn };
      encodeLogoutRequest(header, 0, fields);
      this.#connection.send(header);
    });
    const { response } = decodeLogoutResponse(expectOpcode(pdu, Opcode.logoutResponse).header, 0);
    if (response === 0) this.destroy(new InitiatorError("closed", "logged out"));
    return response;
  }

  /** Drops the connection without a logout. */
  destroy(error: InitiatorError = new InitiatorError("closed", "the session was dropped")): void {
    this.#connection.destroy(error);
  }

  /** Sends a request that one PDU answers, and waits for that. */
  #request(
    immediate: boolean,
    send: (initiatorTaskTag: number, cmdSn: number, expStatSn: number) => void,
    tag: number = this.#takeTag(),
  ): Promise<ReceivedPdu> {
    const ended = this.#connection.closed;
    if (ended !== null) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#requests.delete(tag);
        reject(new InitiatorError("timeout", "the target does not answer"));
      }, ANSWER_TIMEOUT_MS);
      this.#requests.set(tag, { resolve, reject, timer });
      send(tag, this.#numbers.take(immediate), this.#numbers.expStatSn);
    });
  }

  #takeTag(): number {
    const tag = this.#nextTag;
    this.#nextTag = tag + 1 === RESERVED_TAG ? 1 : tag + 1;
    return tag;
  }

  #timeOut(pending: PendingCommand): void {
    pending.abandoned = true;
    const waiting = this.#queue.indexOf(pending);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    pending.reject(new InitiatorError("timeout", "the command did not end in time"));
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#numbers.windowOpen) {
      const pending = this.#queue.shift();
      assert(pending !== undefined, "the queue is not empty");
      this.#sendCommand(pending);
    }
  }

  #sendCommand(pending: PendingCommand): void {
    const { command } = pending;
    const { parameters } = this;
    const tag = this.#takeTag();
    pending.initiatorTaskTag = tag;
    this.#commands.set(tag, pending);
    const data = command.dataOut ?? new Uint8Array(0);
    const immediateBytes = immediateBytesOf(parameters, data.length);
    const unsolicitedBytes = unsolicitedBytesOf(parameters, data.length);
    const writes = command.dataOut !== undefined || command.expectedOutBytes !== undefined;
    const reads = (command.expectedInBytes ?? 0) > 0;
    const additionalHeader = additionalHeaderOf(command);
    const lun = encodeLun(command.lun);
    const expStatSn = this.#numbers.expStatSn;
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    encodeScsiCommand(header, 0, {
      immediate: command.immediate ?? false,
      flags:
        (unsolicitedBytes > immediateBytes ? 0 : ScsiCommandFlag.final) |
        (reads ? ScsiCommandFlag.read : 0) |
        (writes ? ScsiCommandFlag.write : 0) |
        (command.attribute ?? TaskAttribute.simple),
      lun,
      initiatorTaskTag: tag,
      expectedDataTransferBytes: writes
        ? (command.expectedOutBytes ?? data.length)
        : (command.expectedInBytes ?? 0),
      cmdSn: this.#numbers.take(command.immediate ?? false),
      expStatSn,
      cdb: command.cdb,
      totalAdditionalHeaderWords: additionalHeader.length / 4,
      dataSegmentBytes: immediateBytes,
    });
    this.#connection.send(header, data.subarray(0, immediateBytes), additionalHeader);
    const sequence = { lun, initiatorTaskTag: tag, targetTransferTag: UNSOLICITED_TAG, expStatSn };
    const range = { start: immediateBytes, end: unsolicitedBytes };
    const pieceBytesMax = parameters.targetMaxRecvDataSegmentLength;
    sendDataOut(this.#connection, sequence, data, range, pieceBytesMax);
    command.onSent?.(tag);
  }

  #receive(pdu: ReceivedPdu): void {
    this.#numbers.see(pdu.header);
    const opcode = opcodeOf(pdu.header, 0);
    switch (opcode) {
      case Opcode.dataIn:
        this.#receiveDataIn(pdu);
        break;
      case Opcode.readyToTransfer:
        this.#receiveReadyToTransfer(pdu);
        break;
      case Opcode.scsiResponse:
        this.#numbers.seeStatus(pdu.header);
        this.#finish(this.#commandOf(pdu), (pending) => pending.takeResponse(pdu));
        break;
      case Opcode.nopIn:
        this.#receiveNopIn(pdu);
        break;
      case Opcode.asyncMessage:
        this.#numbers.seeStatus(pdu.header);
        this.#receiveAsyncMessage(pdu);
        break;
      case Opcode.reject:
        this.#numbers.seeStatus(pdu.header);
        this.#receiveReject(pdu);
        break;
      case Opcode.taskManagementResponse:
      case Opcode.textResponse:
      case Opcode.logoutResponse:
        this.#numbers.seeStatus(pdu.header);
        this.#answer(pdu);
        break;
      default:
        throw new InitiatorError("protocol", `the target sent a PDU of opcode ${opcode}`);
    }
    this.#pump();
  }

  #receiveDataIn(pdu: ReceivedPdu): void {
    const fields = decodeDataIn(pdu.header, 0);
    const withStatus = (fields.flags & DataInFlag.status) !== 0;
    if (withStatus) this.#numbers.seeStatus(pdu.header);
    const pending = this.#commandOf(pdu);
    const result = pending.takeDataIn(fields, pdu.data);
    if (result !== undefined) this.#finish(pending, () => result);
  }

  #receiveReadyToTransfer(pdu: ReceivedPdu): void {
    const fields = decodeReadyToTransfer(pdu.header, 0);
    const pending = this.#commandOf(pdu);
    const data = pending.command.dataOut ?? new Uint8Array(0);
    const start = fields.bufferOffset;
    const end = start + fields.desiredDataTransferBytes;
    pending.countReadyToTransfer(fields.r2tSn);
    if (end > data.length || end === start) {
      throw new InitiatorError("protocol", "an R2T asks for data that the command does not have");
    }
    if (fields.desiredDataTransferBytes > this.parameters.maxBurstLength) {
      throw new InitiatorError("protocol", "an R2T asks for more than MaxBurstLength");
    }
    const sequence = {
      lun: encodeLun(pending.command.lun),
      initiatorTaskTag: fields.initiatorTaskTag,
      targetTransferTag: fields.targetTransferTag,
      expStatSn: this.#numbers.expStatSn,
    };
    const pieceBytesMax = this.parameters.targetMaxRecvDataSegmentLength;
    sendDataOut(this.#connection, sequence, data, { start, end }, pieceBytesMax);
  }

  #receiveNopIn(pdu: ReceivedPdu): void {
    const fields = decodeNop(pdu.header, 0);
    if (fields.initiatorTaskTag !== RESERVED_TAG) {
      this.#numbers.seeStatus(pdu.header);
      this.#answer(pdu);
      return;
    }
    // Without a tag of the target's it only carries numbers (RFC 7143 11.19).
    if (fields.targetTransferTag === RESERVED_TAG) return;
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    const numbers = { cmdSn: this.#numbers.cmdSn, expStatSn: this.#numbers.expStatSn };
    encodeNopOut(header, 0, { ...fields, ...numbers, immediate: true }, 0);
    this.#connection.send(header);
    this.#events.pinged?.();
  }

  #receiveAsyncMessage(pdu: ReceivedPdu): void {
    const message = decodeAsyncMessage(pdu.header, 0);
    this.#events.asyncMessage?.(message);
    if (
      message.asyncEvent === AsyncEvent.connectionDropped ||
      message.asyncEvent === AsyncEvent.sessionDropped
    ) {
      this.destroy(new InitiatorError("closed", "the target announced that it drops the session"));
    }
  }

  #receiveReject(pdu: ReceivedPdu): void {
    const reason = decodeRejectReason(pdu.header, 0);
    const error = new InitiatorError("rejected", `the target rejected a PDU, reason ${reason}`, {
      reason,
    });
    const tag =
      pdu.data.length < BASIC_HEADER_BYTES ? RESERVED_TAG : initiatorTaskTagOf(pdu.data, 0);
    const waiting = this.#requests.get(tag);
    const pending = this.#commands.get(tag);
    if (waiting !== undefined) {
      this.#requests.delete(tag);
      clearTimeout(waiting.timer);
      waiting.reject(error);
    } else if (pending !== undefined && opcodeOf(pdu.data, 0) === Opcode.scsiCommand) {
      this.#forget(pending);
      pending.reject(error);
    } else {
      this.#events.rejected?.(reason, pdu.data);
    }
  }

  #answer(pdu: ReceivedPdu): void {
    const tag = initiatorTaskTagOf(pdu.header, 0);
    const waiting = this.#requests.get(tag);
    // The answer to a request that timed out comes too late and means nothing.
    if (waiting === undefined) return;
    this.#requests.delete(tag);
    clearTimeout(waiting.timer);
    waiting.resolve(pdu);
  }

  #commandOf(pdu: ReceivedPdu): PendingCommand {
    const tag = initiatorTaskTagOf(pdu.header, 0);
    const pending = this.#commands.get(tag);
    if (pending !== undefined) return pending;
    throw new InitiatorError("protocol", `the target answered a command that is not there: ${tag}`);
  }

  #finish(pending: PendingCommand, take: (pending: PendingCommand) => CommandResult): void {
    // A response that makes no sense throws, and the command fails with the whole session.
    const result = take(pending);
    this.#forget(pending);
    if (!pending.abandoned) pending.resolve(result);
  }

  #forget(pending: PendingCommand): void {
    if (pending.timer !== null) clearTimeout(pending.timer);
    this.#commands.delete(pending.initiatorTaskTag);
  }

  /**
   * Gives up on commands that the target will answer no more, because a task management function ended them. Their
   * promises reject with kind `closed`.
   */
  forgetAborted(initiatorTaskTags: readonly number[]): void {
    for (const tag of initiatorTaskTags) {
      const pending = this.#commands.get(tag);
      if (pending === undefined) continue;
      this.#forget(pending);
      pending.reject(new InitiatorError("closed", "the command was aborted"));
    }
  }

  #failAll(error: InitiatorError): void {
    for (const pending of [...this.#commands.values(), ...this.#queue]) {
      if (pending.timer !== null) clearTimeout(pending.timer);
      if (!pending.abandoned) pending.reject(error);
    }
    this.#commands.clear();
    this.#queue.length = 0;
    for (const waiting of this.#requests.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    this.#requests.clear();
    this.#events.closed?.(error);
  }
}

function expectOpcode(pdu: ReceivedPdu, opcode: number): ReceivedPdu {
  if (opcodeOf(pdu.header, 0) === opcode) return pdu;
  throw new InitiatorError("protocol", "the target answered with a PDU of another kind");
}
