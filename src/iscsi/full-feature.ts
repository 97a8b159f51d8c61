import { getUint32BE, getUint8 } from "../util/bytes.ts";
import { serialAdd } from "../util/serial-number.ts";
import { CommandSequence, type SequenceExecutor } from "./command-sequence.ts";
import type { FullFeatureLink } from "./full-feature-link.ts";
import { DATA_IN_SEGMENT_BYTES_MAX } from "./limits.ts";
import { BasicHeaderOffset, opcodeOf } from "./pdu/basic-header.ts";
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
import { ProtocolError } from "./protocol-error.ts";
import { ScsiIntake } from "./scsi-intake.ts";
import type { Session } from "./session.ts";
import { TaskFunctions } from "./task-functions.ts";
import type { TextPhase } from "./text-phase.ts";

const NO_LUN = new Uint8Array(8);

/** What only a normal session has. */
interface Commands {
  readonly session: Session;
  readonly sequence: CommandSequence;
  readonly intake: ScsiIntake;
  readonly functions: TaskFunctions;
}

/**
 * The full-feature phase of one connection (RFC 7143 chapters 4 and 11): gives each PDU to whom it concerns, numbered ones
 * in their order. Throws ProtocolError for what the peer must not do.
 */
export class FullFeature implements SequenceExecutor {
  readonly #link: FullFeatureLink;
  readonly #text: TextPhase;
  /** Null in a discovery session. */
  readonly #commands: Commands | null;
  /** The connection closes as soon as its tasks have ended; asking again changes nothing. */
  #loggingOut = false;
  /** CmdSN of a discovery session, which has no window as it has no commands. */
  #discoveryCmdSn: number;

  constructor(link: FullFeatureLink, session: Session | null, text: TextPhase, firstCmdSn: number) {
    this.#link = link;
    this.#text = text;
    this.#discoveryCmdSn = firstCmdSn;
    this.#commands = null;
    if (session === null) return;
    const sequence = new CommandSequence(session.window, this);
    const intake = new ScsiIntake(link, session);
    const functions = new TaskFunctions(link, session, sequence);
    this.#commands = { session, sequence, intake, functions };
  }

  get live(): boolean {
    return this.#link.live;
  }

  get expCmdSn(): number {
    return this.#commands?.session.window.expCmdSn ?? this.#discoveryCmdSn;
  }

  /** In a discovery session one request at a time may come. */
  get maxCmdSn(): number {
    return this.#commands?.session.window.maxCmdSn ?? this.#discoveryCmdSn;
  }

  onPdu(bytes: Buffer, base: number, dataOffset: number, dataBytes: number, good: boolean): void {
    const opcode = opcodeOf(bytes, base);
    if (opcode === Opcode.dataOut && this.#commands !== null) {
      this.#commands.intake.onDataOut(bytes, base, dataOffset, dataBytes, good);
      return;
    }
    if (!good) {
      // RFC 7143 7.8: the PDU is rejected and lost. Its CmdSN would be missing for ever at recovery level 0.
      const why = "data digest error in a PDU that recovery level 0 cannot replace";
      throw new ProtocolError(why, RejectReason.dataDigestError);
    }
    if (opcode === Opcode.dataOut) {
      this.#link.reject(RejectReason.invalidPduField, bytes, base, "Data-Out for no task");
    } else if (opcode === Opcode.snackRequest) {
      const why = "SNACK, which recovery level 0 does not have";
      this.#link.reject(RejectReason.snackReject, bytes, base, why);
    } else if ((getUint8(bytes, base) & IMMEDIATE_FLAG) !== 0) {
      this.execute(bytes, base, dataOffset, dataBytes);
    } else if (this.#commands !== null) {
      this.#commands.sequence.take(bytes, base, dataOffset, dataBytes);
    } else {
      const cmdSn = getUint32BE(bytes, base + BasicHeaderOffset.cmdSn);
      if (cmdSn !== this.#discoveryCmdSn) return;
      this.#discoveryCmdSn = serialAdd(cmdSn, 1);
      this.execute(bytes, base, dataOffset, dataBytes);
    }
  }

  execute(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    switch (opcodeOf(bytes, base)) {
      case Opcode.scsiCommand:
        if (this.#commands === null) this.#rejectInDiscovery(bytes, base, "a SCSI command");
        else this.#commands.intake.onCommand(bytes, base, dataOffset, dataBytes);
        return;
      case Opcode.nopOut:
        this.#onNopOut(bytes, base, dataOffset, dataBytes);
        return;
      case Opcode.taskManagementRequest:
        if (this.#commands === null) this.#rejectInDiscovery(bytes, base, "task management");
        else this.#commands.functions.onRequest(bytes, base);
        return;
      case Opcode.textRequest:
        this.#text.onRequest(bytes, base, dataOffset, dataBytes);
        return;
      case Opcode.logoutRequest:
        this.#onLogout(bytes, base);
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

  #rejectInDiscovery(bytes: Buffer, base: number, what: string): void {
    const why = `${what} in a discovery session`;
    this.#link.reject(RejectReason.protocolError, bytes, base, why);
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

  #onLogout(bytes: Buffer, base: number): void {
    const request = decodeLogoutRequest(bytes, base);
    if (request.reason > LogoutReason.removeForRecovery) {
      const why = "a logout for a reason that does not exist";
      this.#link.reject(RejectReason.invalidPduField, bytes, base, why);
      return;
    }
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
    const nexus = this.#commands?.session.nexus;
    if (nexus !== undefined) nexus.hasForgotten = !nexus.isAskedToLeave;
    const close = (): void => {
      if (!this.#link.live) return;
      this.#answerLogout(request, LogoutResponseCode.closed);
      this.#link.finish();
    };
    if (this.#commands === null) close();
    else this.#commands.session.abortTasks(close);
  }

  #answerLogout(request: LogoutRequestFields, response: number): void {
    const link = this.#link;
    const at = link.sendQueue.reserve(0);
    encodeLogoutResponse(link.sendQueue.buffer, at, {
      response,
      initiatorTaskTag: request.initiatorTaskTag,
      time2WaitSeconds: link.parameters.defaultTime2WaitSeconds,
      time2RetainSeconds: 0,
    });
    link.commitStatus(at);
  }
}
