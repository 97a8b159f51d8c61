import { assert } from "../util/assert.ts";
import type { IoError } from "../util/io-error.ts";
import { IoKind, IoRequest } from "../util/io-request.ts";
import { Sense } from "../scsi/sense.ts";
import { Status } from "../scsi/status.ts";
import type { DataSink, TaskStep } from "../scsi/task.ts";
import type { CreditWaiter } from "./data-out-credit.ts";
import type { IscsiTask } from "./iscsi-task.ts";
import { READY_TO_TRANSFER_BYTES_MAX, STAGING_BYTES, WRITE_PIECE_BYTES } from "./limits.ts";
import { RESERVED_TAG } from "./pdu/opcode.ts";
import { encodeReadyToTransfer } from "./pdu/ready-to-transfer.ts";
import { RejectReason } from "./pdu/reject.ts";
import { ProtocolError } from "./protocol-error.ts";

const NO_BYTES: Buffer = Buffer.alloc(0);

/** One piece of data-out that the sink takes in its own time. */
class PieceWrite extends IoRequest {
  readonly #transfer: DataOutTransfer;
  staging: Buffer = NO_BYTES;

  constructor(transfer: DataOutTransfer) {
    super();
    this.#transfer = transfer;
    this.kind = IoKind.write;
  }

  override get abandoned(): boolean {
    return this.#transfer.cancelled;
  }

  override done(error: IoError | null): void {
    this.#transfer.pieceWritten(this, error);
  }
}

/** What becomes of the data. */
const Mode = {
  /** The command was not started yet (it waits in the task set): they are kept. */
  hold: 0,
  /** To the sink, as they come. */
  sink: 1,
  /** Into the task's parameter buffer. */
  gather: 2,
  /** Nobody wants them, but the initiator was told that it may send them. */
  discard: 3,
} as const;
type Mode = (typeof Mode)[keyof typeof Mode];

/** The fields of a Data-Out PDU, as the session took them apart. */
export interface DataOutHeader {
  targetTransferTag: number;
  dataSn: number;
  bufferOffset: number;
  final: boolean;
}

/** An R2T that was not answered in full yet. */
interface Invitation {
  readonly targetTransferTag: number;
  readonly bytes: number;
  readonly endBytes: number;
}

const NO_STEP: TaskStep = () => undefined;

/**
 * The data-out phase of a task (RFC 7143 4.2.4, 11.7, 11.8): immediate data, unsolicited data, and what R2Ts invite.
 * DataPDUInOrder and DataSequenceInOrder are always negotiated to Yes, so the data come in one run from 0 upwards.
 *
 * Whole pages go to the sink from where they were received. What is cut otherwise, and what the sink cannot take at
 * once, passes through a staging buffer.
 */
export class DataOutTransfer implements CreditWaiter {
  readonly #task: IscsiTask;
  #mode: Mode = Mode.hold;
  #sink: DataSink | null = null;
  #step: TaskStep = NO_STEP;
  #offsetBytes = 0;
  #forceUnitAccess = false;
  /** What the command takes; anything beyond is received and dropped. */
  #wantedBytes = 0;
  #receivedBytes = 0;
  /** The command's own PDU was looked at: nothing is invited before. */
  #begun = false;
  /** Unsolicited Data-Out PDUs follow until one is final. */
  #unsolicitedOpen = false;
  #invitedEndBytes = 0;
  readonly #invitations: Invitation[] = [];
  #nextR2tSn = 0;
  #expectedDataSn = 0;
  #waitingForCredit = false;
  #staging: Buffer | null = null;
  /** Content of `staging`, and where it belongs: right before `receivedBytes`. */
  #stagedBytes = 0;
  #pendingWrites = 0;
  /** One that is done, for the next: most commands have one piece. */
  #spareWrite: PieceWrite | null = null;
  #error: IoError | null = null;
  /** Some of the data did not come, and what was written of the others is still under way. */
  #lost = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Data are being handed on: what completes meanwhile is seen by whoever does that. */
  #taking = false;

  constructor(task: IscsiTask) {
    this.#task = task;
  }

  reset(): void {
    assert(this.#pendingWrites === 0 && this.#staging === null, "a transfer is reused when idle");
    this.#mode = Mode.hold;
    this.#sink = null;
    this.#step = NO_STEP;
    this.#wantedBytes = 0;
    this.#receivedBytes = 0;
    this.#begun = false;
    this.#unsolicitedOpen = false;
    this.#invitedEndBytes = 0;
    this.#nextR2tSn = 0;
    this.#expectedDataSn = 0;
    this.#waitingForCredit = false;
    this.#stagedBytes = 0;
    this.#error = null;
    this.#lost = false;
    if (this.#held.length !== 0) this.#held = [];
  }

  /** The initiator may still send data for this task: a response has to wait for them. */
  get open(): boolean {
    return this.#unsolicitedOpen || this.#invitations.length !== 0;
  }

  /** The command was aborted or expelled: what it has not written yet must not be. */
  get cancelled(): boolean {
    return this.#task.cancelled;
  }

  /** Data are being written. */
  get writing(): boolean {
    return this.#pendingWrites !== 0;
  }

  /** Bytes that came, whether or not somebody wanted them; for tests. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Before the command is dispatched: whether its data go on in unsolicited Data-Out PDUs. */
  expectUnsolicited(): void {
    this.#unsolicitedOpen = true;
  }

  /** The command's handler takes the data for a range. */
  startSink(
    sink: DataSink,
    offsetBytes: number,
    wantedBytes: number,
    forceUnitAccess: boolean,
  ): void {
    this.#mode = Mode.sink;
    this.#sink = sink;
    this.#offsetBytes = offsetBytes;
    this.#wantedBytes = wantedBytes;
    this.#forceUnitAccess = forceUnitAccess;
    this.#replay();
  }

  /** The command's handler wants `wantedBytes` in the task's parameter buffer. */
  startGather(wantedBytes: number, step: TaskStep): void {
    this.#mode = Mode.gather;
    this.#wantedBytes = wantedBytes;
    this.#step = step;
    this.#task.parameter = new Uint8Array(wantedBytes);
    this.#replay();
  }

  /** The command's own PDU: its immediate data, which may be none. */
  begin(bytes: Buffer, at: number, count: number): void {
    this.#begun = true;
    this.#take(bytes, at, count);
    this.#advance();
  }

  /**
   * A Data-Out PDU whose fields the session has taken apart. Throws ProtocolError where they contradict what was
   * agreed or invited. False: a PDU before this one is missing, and the caller has to fail the task.
   */
  receive(header: DataOutHeader, bytes: Buffer, at: number, count: number): boolean {
    if (this.#mode !== Mode.discard) {
      // RFC 7143 7.9: a hole in the numbers means that data were lost, as with a bad digest.
      if (header.dataSn !== this.#expectedDataSn) return false;
      this.#check(header, count);
      this.#expectedDataSn += 1;
      this.#take(bytes, at, count);
    }
    if (header.final) this.#endSequence();
    this.#advance();
    return true;
  }

  #check(header: DataOutHeader, count: number): void {
    const { parameters } = this.#task.link;
    const reason = RejectReason.invalidPduField;
    let endBytes: number;
    if (header.targetTransferTag === RESERVED_TAG) {
      if (!this.#unsolicitedOpen) throw new ProtocolError("Data-Out that nobody invited", reason);
      endBytes = Math.min(parameters.firstBurstLengthBytes, this.#task.expectedOutBytes);
    } else {
      const invitation = this.#invitations[0];
      if (
        this.#unsolicitedOpen ||
        invitation === undefined ||
        invitation.targetTransferTag !== header.targetTransferTag
      ) {
        throw new ProtocolError("Data-Out with a target transfer tag that is not due", reason);
      }
      endBytes = invitation.endBytes;
    }
    if (header.bufferOffset !== this.#receivedBytes) {
      throw new ProtocolError(
        `Data-Out at offset ${header.bufferOffset} where ${this.#receivedBytes} is due`,
        reason,
      );
    }
    const reachedBytes = this.#receivedBytes + count;
    if (reachedBytes > endBytes) {
      throw new ProtocolError("Data-Out with more data than were invited", reason);
    }
    if (header.final && !this.#unsolicitedOpen && reachedBytes !== endBytes) {
      throw new ProtocolError("a Data-Out sequence ended before all that was invited came", reason);
    }
  }

  #endSequence(): void {
    this.#expectedDataSn = 0;
    if (this.#unsolicitedOpen) {
      this.#unsolicitedOpen = false;
      return;
    }
    const invitation = this.#invitations.shift();
    if (invitation !== undefined) this.#task.link.credit.settle(invitation.bytes);
  }

  /** Counts `count` bytes as received and gives them to where they belong. */
  #take(bytes: Buffer, at: number, count: number): void {
    if (count === 0) return;
    if (this.#mode === Mode.hold) {
      this.#hold(bytes, at, count);
      return;
    }
    const usedBytes = Math.min(count, Math.max(0, this.#wantedBytes - this.#receivedBytes));
    if (this.#mode === Mode.gather) {
      this.#task.parameter.set(bytes.subarray(at, at + usedBytes), this.#receivedBytes);
    } else if (this.#mode === Mode.sink && usedBytes !== 0) {
      this.#taking = true;
      this.#toSink(bytes, at, usedBytes);
      this.#taking = false;
    }
    this.#receivedBytes += count;
  }

  #hold(bytes: Buffer, at: number, count: number): void {
    const task = this.#task;
    this.#receivedBytes += count;
    if (!task.link.credit.hold(count)) {
      // To stop receiving would not do: what this command waits for may be a write whose data come behind these.
      task.complete(Status.taskSetFull);
      return;
    }
    this.#held.push(Buffer.from(bytes.subarray(at, at + count)));
    this.#heldBytes += count;
  }

  /** The handler has decided what to do with data that came while the task waited for others. */
  #replay(): void {
    this.#invitedEndBytes = this.#receivedBytes;
    if (this.#held.length !== 0) {
      const held = this.#held;
      this.#held = [];
      this.#receivedBytes = 0;
      for (const bytes of held) this.#take(bytes, 0, bytes.length);
      this.#forgetHeld();
    }
    if (this.#begun) this.#advance();
  }

  #toSink(bytes: Buffer, at: number, count: number): void {
    const sink = this.#sink;
    assert(sink !== null, "data go to a sink");
    if (this.#error !== null) return;
    const reachesEnd = this.#receivedBytes + count >= this.#wantedBytes;
    const whole = reachesEnd || count % WRITE_PIECE_BYTES === 0;
    let refused = false;
    if (this.#staging === null && whole && !this.#forceUnitAccess) {
      const offsetBytes = this.#offsetBytes + this.#receivedBytes;
      if (sink.tryWrite(bytes, at, count, offsetBytes)) return;
      if (sink.tryBegin !== undefined && this.#begins(sink, bytes, at, count)) return;
      // What was refused once is not tried again from the staging buffer.
      refused = true;
    }
    let done = 0;
    while (done < count) {
      const startBytes = this.#receivedBytes + done;
      this.#staging ??= this.#task.link.pools.leaseStaging(
        Math.min(STAGING_BYTES, this.#wantedBytes - startBytes),
      );
      const room = Math.min(this.#staging.length - this.#stagedBytes, count - done);
      bytes.copy(this.#staging, this.#stagedBytes, at + done, at + done + room);
      this.#stagedBytes += room;
      done += room;
      const reachedBytes = startBytes + room;
      if (this.#stagedBytes === this.#staging.length || reachedBytes === this.#wantedBytes) {
        this.#writeStaged(sink, reachedBytes, refused);
      }
    }
  }

  /** The sink writes the bytes at once, and says later when they count. They count as staged until then: a slow volume keeps them. */
  #begins(sink: DataSink, bytes: Buffer, at: number, count: number): boolean {
    const write = this.#spareWrite ?? new PieceWrite(this);
    write.offsetBytes = this.#offsetBytes + this.#receivedBytes;
    write.lengthBytes = count;
    write.forceUnitAccess = false;
    this.#spareWrite = null;
    this.#pendingWrites += 1;
    this.#task.ioRunning = true;
    this.#task.link.credit.stage(count);
    // It may have failed by the time that this returns.
    if (sink.tryBegin?.(bytes, at, write) === true) return true;
    this.#pendingWrites -= 1;
    this.#task.ioRunning = this.#pendingWrites !== 0;
    this.#task.link.credit.unstage(count);
    this.#spareWrite = write;
    return false;
  }

  /** Gives the staging buffer, whose content ends at `endBytes` of the transfer, to the sink. */
  #writeStaged(sink: DataSink, endBytes: number, refused: boolean): void {
    const staging = this.#staging;
    assert(staging !== null, "what is written was staged");
    const { link } = this.#task;
    const count = this.#stagedBytes;
    const offsetBytes = this.#offsetBytes + endBytes - count;
    this.#staging = null;
    this.#stagedBytes = 0;
    if (!refused && !this.#forceUnitAccess && sink.tryWrite(staging, 0, count, offsetBytes)) {
      link.pools.releaseStaging(staging);
      return;
    }
    const write = this.#spareWrite ?? new PieceWrite(this);
    this.#spareWrite = null;
    write.staging = staging;
    write.buffers.push(count === staging.length ? staging : staging.subarray(0, count));
    write.offsetBytes = offsetBytes;
    write.lengthBytes = count;
    write.forceUnitAccess = this.#forceUnitAccess;
    this.#pendingWrites += 1;
    this.#task.ioRunning = true;
    link.credit.stage(count);
    sink.submit(write);
  }

  /** For the piece's request. */
  pieceWritten(write: PieceWrite, error: IoError | null): void {
    const task = this.#task;
    const { link } = task;
    this.#pendingWrites -= 1;
    task.ioRunning = this.#pendingWrites !== 0;
    this.#error ??= error;
    if (write.staging !== NO_BYTES) link.pools.releaseStaging(write.staging);
    link.credit.unstage(write.lengthBytes);
    write.staging = NO_BYTES;
    // To set the length to 0 would throw away the array's memory.
    write.buffers.pop();
    this.#spareWrite = write;
    if (task.cancelled) task.cancelledIoDone();
    else if (this.#lost) this.#failLost();
    else if (!this.#taking) this.#advance();
  }

  /** Data of the task are lost (RFC 7143 7.8): no more are taken, and it fails once what it has begun to write is written. */
  lose(): void {
    this.#lost = true;
    this.discardRest();
    this.#failLost();
  }

  #failLost(): void {
    if (this.#pendingWrites === 0) this.#task.fail(Sense.protocolServiceCrcError);
  }

  creditFreed(): void {
    if (!this.#waitingForCredit) return;
    this.#waitingForCredit = false;
    this.#advance();
  }

  /** Invites more, or ends the phase when all is there. */
  #advance(): void {
    if (!this.#begun || this.#unsolicitedOpen) return;
    if (this.#mode === Mode.discard) {
      // A command whose data were gathered may still be at work, whatever else the initiator sends for it.
      if (!this.open && this.#task.ended) this.#task.respondNow();
      return;
    }
    if (this.#mode === Mode.hold || this.#task.aborted) return;
    if (this.#error === null) this.#invite();
    const complete = this.#receivedBytes >= this.#wantedBytes || this.#error !== null;
    if (complete && !this.open && this.#pendingWrites === 0) this.#finish();
  }

  #invite(): void {
    const { link } = this.#task;
    const countMax = link.parameters.maxOutstandingR2t;
    this.#invitedEndBytes = Math.max(this.#invitedEndBytes, this.#receivedBytes);
    while (this.#invitedEndBytes < this.#wantedBytes && this.#invitations.length < countMax) {
      const count = Math.min(
        this.#wantedBytes - this.#invitedEndBytes,
        link.parameters.maxBurstLengthBytes,
        READY_TO_TRANSFER_BYTES_MAX,
      );
      if (!link.credit.invite(count)) {
        if (!this.#waitingForCredit) {
          this.#waitingForCredit = true;
          link.credit.wait(this);
        }
        return;
      }
      this.#sendR2t(count);
    }
  }

  #sendR2t(count: number): void {
    const task = this.#task;
    const { link } = task;
    const targetTransferTag = task.nextTargetTransferTag();
    const base = link.sendQueue.reserve(0);
    encodeReadyToTransfer(link.sendQueue.buffer, base, task.lunBytes, {
      initiatorTaskTag: task.tag,
      targetTransferTag,
      r2tSn: this.#nextR2tSn,
      bufferOffset: this.#invitedEndBytes,
      desiredDataTransferBytes: count,
    });
    link.commitNext(base);
    this.#nextR2tSn += 1;
    this.#invitedEndBytes += count;
    const endBytes = this.#invitedEndBytes;
    this.#invitations.push({ targetTransferTag, bytes: count, endBytes });
  }

  #finish(): void {
    const task = this.#task;
    const step = this.#step;
    const error = this.#error;
    const gathered = this.#mode === Mode.gather;
    this.#mode = Mode.discard;
    if (gathered) {
      task.parameterBytes = Math.min(this.#wantedBytes, this.#receivedBytes);
      const { unit } = task;
      assert(unit !== null, "data are gathered for a logical unit");
      step(unit, task);
    } else if (error !== null) {
      task.failIo(error);
    } else {
      task.complete(Status.good);
    }
  }

  /** The response is decided: what still comes is dropped. */
  discardRest(): void {
    this.#mode = Mode.discard;
    if (this.#held.length !== 0) this.#held = [];
    this.#forgetHeld();
    this.#releaseStaging();
    if (!this.#waitingForCredit) return;
    this.#waitingForCredit = false;
    this.#task.link.credit.cancel(this);
  }

  /** The task was aborted: nothing more is expected, except by writes that are running. */
  stop(): void {
    this.discardRest();
    this.#unsolicitedOpen = false;
    for (const { bytes } of this.#invitations) this.#task.link.credit.settle(bytes);
    this.#invitations.length = 0;
  }

  #forgetHeld(): void {
    if (this.#heldBytes === 0) return;
    const heldBytes = this.#heldBytes;
    this.#heldBytes = 0;
    this.#task.link.credit.unhold(heldBytes);
  }

  #releaseStaging(): void {
    if (this.#staging === null) return;
    this.#task.link.pools.releaseStaging(this.#staging);
    this.#staging = null;
    this.#stagedBytes = 0;
  }
}
