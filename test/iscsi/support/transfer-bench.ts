import { FakeVolume } from "../../scsi/support/fake-volume.ts";
import { LogicalUnit } from "../../../src/scsi/logical-unit.ts";
import { TargetDevice } from "../../../src/scsi/target-device.ts";
import type { DataInTransfer } from "../../../src/iscsi/data-in.ts";
import { DataOutCredit } from "../../../src/iscsi/data-out-credit.ts";
import { IscsiTask } from "../../../src/iscsi/iscsi-task.ts";
import { defaultParameters, type SessionParameters } from "../../../src/iscsi/parameters.ts";
import { opcodeOf } from "../../../src/iscsi/pdu/basic-header.ts";
import { decodeDataIn, type DataInFields } from "../../../src/iscsi/pdu/data-in.ts";
import { Opcode, RESERVED_TAG } from "../../../src/iscsi/pdu/opcode.ts";
import {
  decodeReadyToTransfer,
  type ReadyToTransferFields,
} from "../../../src/iscsi/pdu/ready-to-transfer.ts";
import { decodeScsiResponse } from "../../../src/iscsi/pdu/scsi-response.ts";
import { SendQueue, type SendSink } from "../../../src/iscsi/send-queue.ts";
import type { TaskLink, TaskOwner } from "../../../src/iscsi/task-link.ts";
import { TransportPools } from "../../../src/iscsi/transport-pools.ts";
import { cutPdus, type PduBytes } from "./pdu-stream.ts";

export const VOLUME_BYTES = 4 * 1024 * 1024;

/** What a test gives a task. */
export interface TaskSpec {
  readonly expectedInBytes?: number;
  readonly expectedOutBytes?: number;
  readonly tag?: number;
}

/** A task's connection and session, with a volume below and memory in place of the socket. */
export class TransferBench implements TaskLink, TaskOwner, SendSink {
  readonly parameters: SessionParameters;
  readonly pools: TransportPools = new TransportPools();
  readonly sendQueue: SendQueue = new SendQueue(this.pools.sendChunks, this);
  readonly credit: DataOutCredit = new DataOutCredit(() => undefined);
  readonly volume: FakeVolume = new FakeVolume(VOLUME_BYTES);
  readonly unit: LogicalUnit;
  stagedReadBytes = 0;
  receivedMs = 0;
  /** Transfers that wait for room. */
  readonly waiting: DataInTransfer[] = [];
  /** True: something was committed that no turn has sent yet. */
  flushWanted = false;
  readonly retired: IscsiTask[] = [];
  readonly abortedTasks: IscsiTask[] = [];
  /** Those whose I/O ended after they had retired. */
  readonly reused: IscsiTask[] = [];
  readonly #wire: Buffer[] = [];
  #unsentCount = 0;
  #statSn = 1;
  #serial = 0;

  constructor(parameters: Partial<SessionParameters> = {}) {
    this.parameters = { ...defaultParameters(), ...parameters };
    for (let at = 0; at < VOLUME_BYTES; at += 4) this.volume.bytes.writeUInt32BE(at, at);
    this.unit = new LogicalUnit({ volume: this.volume, blockBytes: 512, nowMs: () => 0 });
    new TargetDevice("iqn.2026-11.net.example:disk").attach(0, this.unit);
  }

  answered(): void {}

  /** A task in the unit's task set, as the dispatcher leaves it for a handler. */
  task(spec: TaskSpec = {}): IscsiTask {
    return this.prepare(new IscsiTask(this, this, this.#serial++), spec);
  }

  /** The same for a task that was used before. */
  prepare(task: IscsiTask, spec: TaskSpec): IscsiTask {
    task.tag = spec.tag ?? 7;
    task.attribute = 1;
    task.expectedInBytes = spec.expectedInBytes ?? 0;
    task.expectedOutBytes = spec.expectedOutBytes ?? 0;
    task.writes = task.expectedOutBytes !== 0;
    task.unit = this.unit;
    this.unit.taskSet.add(task);
    return task;
  }

  /** As when its unit is detached; `done` is called when no I/O uses its memory. */
  expel(task: IscsiTask, done: () => void = () => undefined): void {
    this.unit.taskSet.expel([task], done);
  }

  abort(task: IscsiTask): void {
    this.unit.taskSet.abort([task], () => undefined);
  }

  // ---- the link

  commitStatus(base: number): void {
    this.sendQueue.buffer.writeUInt32BE(this.#statSn, base + 24);
    this.#statSn += 1;
    this.sendQueue.commit();
    this.flushWanted = true;
  }

  commitNext(base: number): void {
    this.sendQueue.buffer.writeUInt32BE(this.#statSn, base + 24);
    this.sendQueue.commit();
    this.flushWanted = true;
  }

  commitData(base: number): void {
    this.sendQueue.commit();
    this.flushWanted = true;
    this.sendQueue.buffer.writeUInt32BE(0, base + 24);
  }

  scheduleFlush(): void {
    this.flushWanted = true;
  }

  waitForRoom(transfer: DataInTransfer): void {
    if (transfer.waiting) return;
    transfer.waiting = true;
    this.waiting.push(transfer);
  }

  retireTask(task: IscsiTask, aborted: boolean): void {
    (aborted ? this.abortedTasks : this.retired).push(task);
  }

  reuseTask(task: IscsiTask): void {
    this.reused.push(task);
  }

  send(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.#wire.push(Buffer.from(chunk));
    this.#unsentCount += 1;
  }

  // ---- what the test does

  /** The peer takes everything, and waiting transfers go on, until there is nothing more. */
  drain(): void {
    for (;;) {
      this.flushWanted = false;
      this.sendQueue.flush();
      for (; this.#unsentCount > 0; this.#unsentCount -= 1) this.sendQueue.sent();
      const waiting = this.waiting.splice(0);
      if (waiting.length === 0) return;
      let moved = false;
      for (const transfer of waiting) {
        if (!transfer.waiting) continue;
        transfer.waiting = false;
        const before = this.sendQueue.queuedBytes;
        transfer.pump();
        moved ||= this.sendQueue.queuedBytes !== before;
      }
      if (!moved) return;
    }
  }

  /** Everything that was sent until now, as PDUs. */
  get pdus(): PduBytes[] {
    this.drain();
    return cutPdus(Buffer.concat(this.#wire), { header: false, data: false });
  }

  #fields<T>(opcode: number, decode: (bytes: Uint8Array, base: number) => T): T[] {
    return this.pdus
      .filter(({ header }) => opcodeOf(header, 0) === opcode)
      .map(({ header }) => decode(header, 0));
  }

  get dataIn(): DataInFields[] {
    return this.#fields(Opcode.dataIn, decodeDataIn);
  }

  get invitations(): ReadyToTransferFields[] {
    return this.#fields(Opcode.readyToTransfer, decodeReadyToTransfer);
  }

  get responses(): ReturnType<typeof decodeScsiResponse>[] {
    return this.#fields(Opcode.scsiResponse, decodeScsiResponse);
  }

  /** The sense data of the only response. */
  get sense(): Buffer {
    const response = this.pdus.find(({ header }) => opcodeOf(header, 0) === Opcode.scsiResponse);
    if (response === undefined) throw new Error("no response");
    return response.data.subarray(2, 2 + response.data.readUInt16BE(0));
  }

  /** The content of all Data-In PDUs, in their order. */
  get dataInBytes(): Buffer {
    const pdus = this.pdus.filter(({ header }) => opcodeOf(header, 0) === Opcode.dataIn);
    return Buffer.concat(pdus.map(({ data }) => data));
  }

  /** What is lent or owed at this moment; all zero when everything was given back. */
  get debts(): { lentBytes: number; stagedReadBytes: number; stagedBytes: number; full: boolean } {
    this.drain();
    return {
      lentBytes: this.pools.lentBytes,
      stagedReadBytes: this.stagedReadBytes,
      stagedBytes: this.credit.stagedBytes,
      full: !this.#allCreditIsFree(),
    };
  }

  /** An invitation beyond the limit is granted only when none is open. */
  #allCreditIsFree(): boolean {
    const bytes = 2 ** 40;
    if (!this.credit.invite(bytes)) return false;
    this.credit.settle(bytes);
    return true;
  }
}

/** `debts` of a bench where nothing is left behind. */
export const NO_DEBTS = { lentBytes: 0, stagedReadBytes: 0, stagedBytes: 0, full: false };

/** One Data-Out PDU for a task. */
export interface DataOutSpec {
  readonly at: number;
  readonly data: Buffer;
  readonly final?: boolean;
  readonly dataSn?: number;
  readonly tag?: number;
}

export function sendDataOut(task: IscsiTask, spec: DataOutSpec): boolean {
  const header = {
    targetTransferTag: spec.tag ?? RESERVED_TAG,
    dataSn: spec.dataSn ?? 0,
    bufferOffset: spec.at,
    final: spec.final ?? true,
  };
  // Somewhere in a larger buffer that is used again at once, as what a socket receives is.
  const memory = Buffer.alloc(spec.data.length + 48, 0xee);
  spec.data.copy(memory, 48);
  const taken = task.dataOut.receive(header, memory, 48, spec.data.length);
  memory.fill(0xdd);
  return taken;
}
