import type { DataInTransfer } from "./data-in.ts";
import type { DataOutCredit } from "./data-out-credit.ts";
import type { IscsiTask } from "./iscsi-task.ts";
import type { SessionParameters } from "./parameters.ts";
import type { UnitStatistics } from "../scsi/unit-statistics.ts";
import type { OperationClass } from "../scsi/operation-class.ts";
import type { SendQueue } from "./send-queue.ts";
import type { TransportPools } from "./transport-pools.ts";

/**
 * What a task sees of the connection that it belongs to (connection allegiance, RFC 7143 4.2.2.1). Every PDU is
 * reserved in the queue, filled in, and committed by one of the three, which number it.
 */
export interface TaskLink {
  readonly parameters: SessionParameters;
  readonly sendQueue: SendQueue;
  readonly pools: TransportPools;
  readonly credit: DataOutCredit;
  /** Bytes of asynchronous reads that are under way or whose data wait to be queued. */
  stagedReadBytes: number;
  /** When what is being gone through was received, in milliseconds of the server's clock. */
  readonly receivedMs: number;

  /** A PDU that carries status: it takes the next StatSN. */
  commitStatus(base: number): void;
  /** A PDU that shows the next StatSN without taking it: R2T, and NOP-In as a ping. */
  commitNext(base: number): void;
  /** Data-In without status, where StatSN is reserved. */
  commitData(base: number): void;
  /** Looks for transfers that wait for room, and sends, before this turn of the event loop ends. Committing asks for it. */
  scheduleFlush(): void;
  /** A command that came at `arrivedMs` was answered: its latency is counted when the answer is handed over. */
  answered(statistics: UnitStatistics, operation: OperationClass, arrivedMs: number): void;
  /** Calls `pump` of the transfer when there is room in the queue again. */
  waitForRoom(transfer: DataInTransfer): void;
}

/** The session, as the task that lives in it sees it. */
export interface TaskOwner {
  /** The task was answered, or (`aborted`) never will be. */
  retireTask(task: IscsiTask, aborted: boolean): void;
  /** I/O was running when the task retired, and has ended now. */
  reuseTask(task: IscsiTask): void;
}
