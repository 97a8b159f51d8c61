import { assert } from "../util/assert.ts";
import { setUint16BE } from "../util/bytes.ts";
import { Status } from "../scsi/status.ts";
import { Task, type DataSink, type DataSource, type TaskStep } from "../scsi/task.ts";
import { DataInTransfer } from "./data-in.ts";
import { DataOutTransfer } from "./data-out.ts";
import { encodeScsiResponse, ScsiResponseCode } from "./pdu/scsi-response.ts";
import { readResidualFlags, residualBytes, residualFlags } from "./residual.ts";
import type { TaskLink, TaskOwner } from "./task-link.ts";

/** Sense data follow their length, RFC 7143 11.4.7. */
const SENSE_LENGTH_BYTES = 2;

const TAG_LOW_BITS = 16;
const TAG_LOW_MASK = 0xffff;
/** Keeps the tag below the reserved one. */
const TAG_HIGH_MASK = 0x7fff;

/** A SCSI command of an iSCSI session: moves its data and answers it over the connection that it came on. */
export class IscsiTask extends Task {
  /** The connection; set for as long as the task lives. */
  link: TaskLink;
  readonly lunBytes: Uint8Array = new Uint8Array(8);
  /** True for a command that was marked for immediate delivery and so is outside of the window. */
  immediate = false;
  /** When it was received, in milliseconds of the server's clock. */
  arrivedMs = 0;
  /** What the command wants to move, in bytes: compared with what the initiator expects, it gives the residual. */
  transferBytes = 0;
  /** The last Data-In PDU carried the status. */
  statusSent = false;
  /** The response is out, or will never be; the session has forgotten the task. */
  retired = false;
  readonly dataIn: DataInTransfer = new DataInTransfer(this);
  readonly dataOut: DataOutTransfer = new DataOutTransfer(this);

  readonly #owner: TaskOwner;
  /** Makes target transfer tags of different tasks differ; chosen by the session. */
  readonly #tagBase: number;
  #tagCount = 0;

  constructor(owner: TaskOwner, link: TaskLink, serial: number) {
    super();
    this.#owner = owner;
    this.link = link;
    this.#tagBase = ((serial & TAG_HIGH_MASK) << TAG_LOW_BITS) >>> 0;
  }

  override reset(): void {
    super.reset();
    this.transferBytes = 0;
    this.statusSent = false;
    this.retired = false;
    this.dataIn.reset();
    this.dataOut.reset();
  }

  nextTargetTransferTag(): number {
    this.#tagCount = (this.#tagCount + 1) & TAG_LOW_MASK;
    return this.#tagBase + this.#tagCount;
  }

  override returnData(data: Uint8Array, lengthBytes: number): void {
    assert(lengthBytes <= data.length, "no more is returned than there is");
    this.transferBytes = lengthBytes;
    const totalBytes = Math.min(lengthBytes, this.expectedInBytes);
    if (totalBytes === 0) this.complete(Status.good);
    else this.dataIn.sendBytes(data, totalBytes);
  }

  override transferIn(source: DataSource, offsetBytes: number, lengthBytes: number): void {
    this.transferBytes = lengthBytes;
    const totalBytes = Math.min(lengthBytes, this.expectedInBytes);
    if (totalBytes === 0) this.complete(Status.good);
    else this.dataIn.start(source, offsetBytes, totalBytes);
  }

  override transferOut(
    sink: DataSink,
    offsetBytes: number,
    lengthBytes: number,
    forceUnitAccess: boolean,
  ): void {
    const { unit } = this;
    assert(unit !== null, "data go to a logical unit");
    this.transferBytes = lengthBytes;
    const reachableBytes = Math.min(lengthBytes, this.expectedOutBytes);
    // An initiator that announces less than the command takes gets whole blocks written, never a part of one.
    const totalBytes = reachableBytes - (reachableBytes % unit.blockBytes);
    this.dataOut.startSink(sink, offsetBytes, totalBytes, forceUnitAccess);
  }

  override collect(lengthBytes: number, step: TaskStep): void {
    this.transferBytes = lengthBytes;
    this.dataOut.startGather(Math.min(lengthBytes, this.expectedOutBytes), step);
  }

  override stop(): void {
    this.dataIn.waiting = false;
    this.dataOut.stop();
    this.retire();
  }

  protected override halt(): void {
    this.dataOut.discardRest();
  }

  protected override release(): void {
    // Otherwise it is still to be answered, and goes back then.
    if (this.retired) this.#owner.reuseTask(this);
  }

  protected override respond(): void {
    this.dataIn.end();
    this.dataOut.discardRest();
    // RFC 7143 4.2.4.2: the initiator finishes its sequences first, and must find the task when it does.
    if (!this.dataOut.open) this.respondNow();
  }

  /** Sends the response, unless a Data-In PDU carried it. */
  respondNow(): void {
    assert(this.ended, "what is responded was decided");
    if (this.retired) return;
    this.retired = true;
    if (!this.statusSent) this.#sendResponse();
    this.#countAnswer();
    this.#owner.retireTask(this, false);
  }

  #countAnswer(): void {
    const { statistics, operation } = this;
    if (statistics === null) return;
    const expectedBytes = this.expectedInBytes + this.expectedOutBytes;
    const movedBytes = Math.min(this.transferBytes, expectedBytes);
    statistics.answer(operation, expectedBytes, movedBytes, this.status === Status.good);
    this.link.answered(statistics, operation, this.arrivedMs);
  }

  protected override forget(): void {
    assert(!this.retired, "a task is forgotten once");
    this.dataIn.end();
    this.retired = true;
    this.#owner.retireTask(this, true);
  }

  #sendResponse(): void {
    const { link } = this;
    const { sendQueue } = link;
    const failed = this.status === Status.checkCondition;
    const dataSegmentBytes = failed ? SENSE_LENGTH_BYTES + this.senseBytes : 0;
    // A command that failed moved nothing that counts: all that was expected is residual.
    const movedBytes = this.status === Status.good ? this.transferBytes : 0;
    const bidirectional = this.expectedInBytes !== 0 && this.expectedOutBytes !== 0;
    const expectedBytes = bidirectional
      ? this.expectedOutBytes
      : this.expectedInBytes + this.expectedOutBytes;
    const base = sendQueue.reserve(dataSegmentBytes);
    encodeScsiResponse(sendQueue.buffer, base, {
      residualFlags:
        residualFlags(expectedBytes, movedBytes) |
        (bidirectional ? readResidualFlags(this.expectedInBytes, 0) : 0),
      response: ScsiResponseCode.completedAtTarget,
      status: this.status,
      initiatorTaskTag: this.tag,
      expDataSn: this.dataIn.dataSn,
      bidirectionalReadResidualBytes: bidirectional ? this.expectedInBytes : 0,
      residualBytes: residualBytes(expectedBytes, movedBytes),
      dataSegmentBytes,
    });
    if (failed) {
      const at = sendQueue.dataOffset(base);
      setUint16BE(sendQueue.buffer, at, this.senseBytes);
      sendQueue.buffer.set(this.sense.subarray(0, this.senseBytes), at + SENSE_LENGTH_BYTES);
    }
    link.commitStatus(base);
  }
}
