import { assert } from "../util/assert.ts";
import type { IoError } from "../util/io-error.ts";
import { IoKind, IoRequest } from "../util/io-request.ts";
import type { DataSource } from "../scsi/task.ts";
import type { IscsiTask } from "./iscsi-task.ts";
import { DATA_IN_SEGMENT_BYTES_MAX, STAGED_READ_BYTES_MAX } from "./limits.ts";
import { DataInFlag, encodeDataIn, setDataInPosition, setDataInStatus } from "./pdu/data-in.ts";
import { residualBytes, residualFlags } from "./residual.ts";
import { Status } from "../scsi/status.ts";

/** One piece of a range that is not resident, on its way from the volume. */
class PieceRead extends IoRequest {
  readonly #transfer: DataInTransfer;
  staging: Buffer | null = null;

  constructor(transfer: DataInTransfer) {
    super();
    this.#transfer = transfer;
    this.kind = IoKind.read;
  }

  override done(error: IoError | null): void {
    this.#transfer.pieceRead(error);
  }
}

/**
 * The data-in phase of a task (RFC 7143 4.2.4, 11.7). It pulls the range out of the volume as the connection takes it:
 * resident data are read straight behind their header in the send queue, within the turn; the rest through a staging
 * buffer. The last PDU carries the status with it (phase collapse).
 */
export class DataInTransfer {
  readonly #task: IscsiTask;
  readonly #read: PieceRead;
  #source: DataSource | null = null;
  #offsetBytes = 0;
  /** What is sent: the lesser of what the command wants and what the initiator expects. */
  #totalBytes = 0;
  #sentBytes = 0;
  /** Within the present sequence, which ends at MaxBurstLength. */
  #burstBytes = 0;
  /** Bytes of the read that is under way, as far as the connection counts them as staged. */
  #countedBytes = 0;
  /** In the connection's line for room in the queue. */
  waiting = false;
  /** DataSN of the next PDU, and so the ExpDataSN of a response. */
  dataSn = 0;

  constructor(task: IscsiTask) {
    this.#task = task;
    this.#read = new PieceRead(this);
  }

  reset(): void {
    assert(this.#read.staging === null, "a transfer that is reused has no read running");
    this.#source = null;
    this.#sentBytes = 0;
    this.#burstBytes = 0;
    this.waiting = false;
    this.dataSn = 0;
  }

  /** Sends a range of the volume, then status GOOD. */
  start(source: DataSource, offsetBytes: number, totalBytes: number): void {
    this.#source = source;
    this.#offsetBytes = offsetBytes;
    this.#totalBytes = totalBytes;
    this.pump();
  }

  /** Sends bytes that are in memory, then status GOOD. They are copied before this returns. */
  sendBytes(data: Uint8Array, totalBytes: number): void {
    this.#totalBytes = totalBytes;
    const { sendQueue } = this.#task.link;
    while (this.#sentBytes < totalBytes) {
      const pieceBytes = this.#nextPieceBytes();
      const base = sendQueue.reserve(pieceBytes);
      const piece = data.subarray(this.#sentBytes, this.#sentBytes + pieceBytes);
      sendQueue.buffer.set(piece, sendQueue.dataOffset(base));
      this.#commit(base, pieceBytes);
    }
  }

  /** Goes on until all is sent, the queue is full, or data are not resident. */
  pump(): void {
    const { link } = this.#task;
    const { sendQueue } = link;
    const source = this.#source;
    assert(source !== null, "a transfer that goes on was started");
    while (this.#sentBytes < this.#totalBytes) {
      if (sendQueue.high) {
        link.waitForRoom(this);
        return;
      }
      const pieceBytes = this.#nextPieceBytes();
      const base = sendQueue.reserve(pieceBytes);
      const at = sendQueue.dataOffset(base);
      const offsetBytes = this.#offsetBytes + this.#sentBytes;
      if (!source.tryRead(sendQueue.buffer, at, pieceBytes, offsetBytes)) {
        this.#readLater(source, pieceBytes);
        return;
      }
      this.#commit(base, pieceBytes);
    }
  }

  #readLater(source: DataSource, pieceBytes: number): void {
    const { link } = this.#task;
    if (link.stagedReadBytes !== 0 && link.stagedReadBytes + pieceBytes > STAGED_READ_BYTES_MAX) {
      link.waitForRoom(this);
      return;
    }
    link.stagedReadBytes += pieceBytes;
    this.#countedBytes = pieceBytes;
    const read = this.#read;
    read.staging = link.pools.leaseStaging(pieceBytes);
    read.buffers = [read.staging.subarray(0, pieceBytes)];
    read.offsetBytes = this.#offsetBytes + this.#sentBytes;
    read.lengthBytes = pieceBytes;
    this.#task.ioRunning = true;
    source.submit(read);
  }

  /** For the piece's request: the data are in the staging buffer, or never will be. */
  pieceRead(error: IoError | null): void {
    const task = this.#task;
    const { link } = task;
    const { staging, lengthBytes } = this.#read;
    assert(staging !== null, "a piece was asked for");
    this.#read.staging = null;
    this.#read.buffers = [];
    task.ioRunning = false;
    if (error === null && !task.cancelled) {
      const { sendQueue } = link;
      const base = sendQueue.reserve(lengthBytes);
      staging.copy(sendQueue.buffer, sendQueue.dataOffset(base), 0, lengthBytes);
      this.#commit(base, lengthBytes);
    }
    link.pools.releaseStaging(staging);
    this.#uncount();
    if (task.cancelled) task.cancelledIoDone();
    else if (error !== null) task.failIo(error);
    else if (this.#sentBytes < this.#totalBytes) this.pump();
  }

  /** The task has ended: a read that is still under way holds no other command up. */
  end(): void {
    this.waiting = false;
    if (this.#countedBytes !== 0) this.#uncount();
  }

  #uncount(): void {
    const { link } = this.#task;
    link.stagedReadBytes -= this.#countedBytes;
    this.#countedBytes = 0;
    // Also where nothing was queued: others may wait for the room that is free now.
    link.scheduleFlush();
  }

  #nextPieceBytes(): number {
    const { parameters } = this.#task.link;
    return Math.min(
      this.#totalBytes - this.#sentBytes,
      parameters.initiatorMaxRecvDataSegmentLengthBytes,
      parameters.maxBurstLengthBytes - this.#burstBytes,
      DATA_IN_SEGMENT_BYTES_MAX,
    );
  }

  /** The data are in place at `base`: writes the header around them. With the last piece, the task ends. */
  #commit(base: number, pieceBytes: number): void {
    const task = this.#task;
    const { link } = task;
    const { buffer } = link.sendQueue;
    this.#burstBytes += pieceBytes;
    const last = this.#sentBytes + pieceBytes === this.#totalBytes;
    const endsSequence = last || this.#burstBytes === link.parameters.maxBurstLengthBytes;
    const flags = endsSequence ? DataInFlag.final : 0;
    encodeDataIn(buffer, base, flags, pieceBytes, task.tag);
    setDataInPosition(buffer, base, this.dataSn, this.#sentBytes);
    if (endsSequence) this.#burstBytes = 0;
    this.dataSn += 1;
    this.#sentBytes += pieceBytes;
    if (!last) {
      link.commitData(base);
      return;
    }
    const expectedBytes = task.expectedInBytes;
    const overUnder = residualFlags(expectedBytes, task.transferBytes);
    const differenceBytes = residualBytes(expectedBytes, task.transferBytes);
    setDataInStatus(buffer, base, Status.good, overUnder, differenceBytes);
    link.commitStatus(base);
    task.statusSent = true;
    task.complete(Status.good);
  }
}
