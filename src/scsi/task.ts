import { assert } from "../util/assert.ts";
import type { IoError } from "../util/io-error.ts";
import { type IoKind, IoRequest } from "../util/io-request.ts";
import type { Volume } from "../volume/volume.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import type { Nexus } from "./nexus.ts";
import { OperationClass } from "./operation-class.ts";
import { encodeSense, Sense, SENSE_BYTES_MAX, type SenseCode } from "./sense.ts";
import { senseOfIoError } from "./sense-of-io-error.ts";
import { Status } from "./status.ts";
import type { UnitStatistics } from "./unit-statistics.ts";

/** Longest CDB that is accepted: the 16 bytes of the header and what an extended CDB may add (SPC-4 4.2.3). */
export const CDB_BYTES_MAX = 260;

/** Task attributes by their code in the SCSI Command PDU, RFC 7143 11.3.1. */
export const TaskAttribute = {
  untagged: 0,
  simple: 1,
  ordered: 2,
  headOfQueue: 3,
  aca: 4,
} as const;

/** Where written data go: a volume, or a checker that compares them (VERIFY). Contract as in `BlockDevice`. */
export type DataSink = Pick<Volume, "tryWrite" | "tryBegin" | "submit">;

/** Where read data come from. Contract as in `BlockDevice`. */
export type DataSource = Pick<Volume, "tryRead" | "submit">;

/** What goes on when the data of a command, or an operation on the volume, are there. A named function, never a closure. */
export type TaskStep = (unit: LogicalUnit, task: Task) => void;

/** The one operation that a task itself may have running on its volume. */
class TaskIo extends IoRequest {
  readonly #task: Task;
  step: TaskStep | null = null;

  constructor(task: Task) {
    super();
    this.#task = task;
  }

  override get abandoned(): boolean {
    return this.#task.cancelled;
  }

  override done(error: IoError | null): void {
    const step = this.step;
    this.step = null;
    assert(step !== null, "a task's operation completes once");
    this.#task.ioDone(error, step);
  }
}

/**
 * One command on its way through a logical unit (SAM-5 "task"). The transport subclasses it: it fills in the request,
 * moves the data, and sends the response. A command's handler ends in exactly one of `returnData`, `transferIn`,
 * `transferOut`, `collect`, `runIo` (the last two go on in a step), `fail`, `complete`.
 *
 * Tasks are pooled by the transport: every field is reset in {@link reset}, and nobody keeps a task that is done.
 */
export abstract class Task {
  nexus: Nexus | null = null;
  /** Null until the dispatcher found the logical unit. */
  unit: LogicalUnit | null = null;
  /** As decoded by `decodeLun`; -1 where the address format is not one of ours. */
  lun = 0;
  tag = 0;
  attribute = 0;
  /** The CDB; bytes past `cdbBytes` are undefined. */
  readonly cdb: Uint8Array = new Uint8Array(CDB_BYTES_MAX);
  cdbBytes = 0;
  /** What the initiator expects to receive and to send, in bytes: its buffer sizes. */
  expectedInBytes = 0;
  expectedOutBytes = 0;
  /** After `collect`: the data-out. `parameterBytes` may be less than asked for when the initiator sent less. */
  parameter: Uint8Array = EMPTY;
  parameterBytes = 0;
  /** Free for the handlers, to carry a value from one step to the next. */
  stepOffsetBytes = 0;
  stepLengthBytes = 0;

  status: Status = Status.good;
  readonly sense: Uint8Array = new Uint8Array(SENSE_BYTES_MAX);
  senseBytes = 0;

  /** Set by the task set. Nothing is sent for such a task any more; it retires when its I/O has ended. */
  aborted = false;
  /**
   * Set by the task set: its logical unit was taken away. It is answered with LOGICAL UNIT NOT SUPPORTED, at once or, where
   * it is writing to the medium, when that has ended.
   */
  expelled = false;
  /** True while `runIo`'s operation, or one of the transport's, uses the task's buffers. */
  ioRunning = false;
  /** Set when the response was handed to the transport, or the task retired. */
  ended = false;
  /** Index in the task set, for removal without a search; -1 outside. Owned by the task set. */
  taskSetIndex = -1;
  /** Waits in the task set for others to end (SAM-5 8.5). Owned by the task set. */
  dormant = false;
  /** The command writes to the medium: tells a failed write from a failed read. Set by the dispatcher. */
  writes = false;
  /** Where the command is counted, and as what. Set by `TargetDevice.dispatch`; null where no logical unit was found. */
  statistics: UnitStatistics | null = null;
  operation: OperationClass = OperationClass.other;

  readonly #io: TaskIo = new TaskIo(this);

  /** Nothing of the task goes on: what was submitted and has not begun is not wanted any more. */
  get cancelled(): boolean {
    return this.aborted || this.expelled;
  }

  /** Makes the task ready for another command. */
  reset(): void {
    assert(!this.ioRunning, "a task with I/O running is not reused");
    this.nexus = null;
    this.unit = null;
    this.parameter = EMPTY;
    this.parameterBytes = 0;
    this.status = Status.good;
    this.senseBytes = 0;
    this.aborted = false;
    this.expelled = false;
    this.ended = false;
    this.taskSetIndex = -1;
    this.dormant = false;
    this.writes = false;
    this.statistics = null;
  }

  /** Sends the first `lengthBytes` of `data` (copied at once; cut to what the initiator expects) and GOOD status. */
  abstract returnData(data: Uint8Array, lengthBytes: number): void;

  /** Sends a range of the volume and then GOOD; ends in CHECK CONDITION when the volume fails. */
  abstract transferIn(source: DataSource, offsetBytes: number, lengthBytes: number): void;

  /**
   * Takes data-out for a range and hands it to the sink, in pieces as it arrives, then ends with GOOD. With
   * `forceUnitAccess`, every byte is on stable media before that.
   */
  abstract transferOut(
    sink: DataSink,
    offsetBytes: number,
    lengthBytes: number,
    forceUnitAccess: boolean,
  ): void;

  /** Gathers `lengthBytes` of data-out (at most `limits.parameterBytesMax`) into `parameter`, then takes the step. */
  abstract collect(lengthBytes: number, step: TaskStep): void;

  /** The response is decided: `status`, and `sense` for CHECK CONDITION. The transport sends it. */
  protected abstract respond(): void;

  /** The task is over without a response. The transport forgets it. */
  protected abstract forget(): void;

  /** The task was just marked aborted: the transport stops moving its data, and retires it unless I/O is running. */
  abstract stop(): void;

  /** The task was just expelled while it writes: the transport hands no more of its data on. */
  protected abstract halt(): void;

  /** The last I/O of a task that had ended before it is over: its memory is free. */
  protected abstract release(): void;

  /** Ends the task with a status; sense stays as it is. */
  complete(status: Status): void {
    assert(!this.ended, "a task ends once");
    if (this.aborted) {
      this.retire();
      return;
    }
    assert(!this.ioRunning || this.expelled, "only an expelled task ends before its I/O");
    this.ended = true;
    this.status = status;
    this.unit?.taskSet.remove(this);
    this.respond();
  }

  /** Ends the task with CHECK CONDITION. `field` is a field pointer as `encodeSense` takes it, -1 for none. */
  fail(code: SenseCode, field = -1, information = -1): void {
    const descriptorFormat = this.unit !== null && this.unit.descriptorSense;
    this.senseBytes = encodeSense(this.sense, code, descriptorFormat, field, information);
    this.complete(Status.checkCondition);
  }

  /** Ends the task with the sense that an I/O error stands for; the one mapping is `senseOfIoError`. */
  failIo(error: IoError): void {
    const unit = this.unit;
    assert(unit !== null, "only a task with a logical unit does I/O");
    unit.reportIoError(error, this);
    if (this.statistics !== null && error.kind !== "miscompare") this.statistics.mediumErrors += 1;
    const information = error.kind === "miscompare" ? error.offsetBytes : -1;
    this.fail(senseOfIoError(error, this.writes), -1, information);
  }

  /** Ends an aborted task without a response, once nothing uses its buffers any more. */
  retire(): void {
    assert(!this.ended && this.aborted, "only an aborted task retires");
    if (this.#heldByIo) return;
    this.ended = true;
    // Before the task leaves: with the last one of a session, its counters are added to those of the initiator.
    this.statistics?.abort(this.operation);
    this.unit?.taskSet.remove(this);
    this.forget();
  }

  /**
   * I/O is running that the end of the task has to wait for. Under an expelled one, what only reads goes on by itself. What
   * writes is always waited for: whoever heard of the end would write anew over another path to the volume, and the old
   * data could land on the newer.
   */
  get #heldByIo(): boolean {
    return this.ioRunning && (this.writes || !this.expelled);
  }

  /** Ends the task as its logical unit was taken away. One that was aborted before ends without an answer. */
  expel(): void {
    assert(this.expelled && !this.ended, "the task set marks a task before it expels it");
    if (this.aborted) this.retire();
    else if (this.#heldByIo) this.halt();
    else this.fail(Sense.logicalUnitNotSupported);
  }

  /** I/O of a cancelled task has ended, whatever came of it; the task itself may have ended before. */
  cancelledIoDone(): void {
    assert(this.cancelled, "a task that goes on takes its next step");
    if (this.ioRunning) return;
    if (!this.ended) {
      if (this.aborted) this.retire();
      else this.fail(Sense.logicalUnitNotSupported);
      return;
    }
    const unit = this.unit;
    assert(unit !== null, "a task keeps its unit while I/O is running");
    this.release();
    unit.taskSet.leave(this);
  }

  /** Runs one operation without data of the initiator's on the unit's volume, then takes the step. */
  runIo(
    kind: IoKind,
    offsetBytes: number,
    lengthBytes: number,
    forceUnitAccess: boolean,
    step: TaskStep,
  ): void {
    const unit = this.unit;
    assert(unit !== null && !this.ioRunning, "a task runs one operation at a time");
    const io = this.#io;
    io.kind = kind;
    io.offsetBytes = offsetBytes;
    io.lengthBytes = lengthBytes;
    io.forceUnitAccess = forceUnitAccess;
    io.step = step;
    this.ioRunning = true;
    unit.volume.submit(io);
  }

  /** As `runIo`, for a read or write between the volume and memory of the handler's. */
  runIoWith(
    kind: typeof IoKind.read | typeof IoKind.write,
    offsetBytes: number,
    buffer: Uint8Array,
    forceUnitAccess: boolean,
    step: TaskStep,
  ): void {
    this.#io.buffers = [buffer];
    this.runIo(kind, offsetBytes, buffer.length, forceUnitAccess, step);
  }

  /** For the task's own operation. */
  ioDone(error: IoError | null, step: TaskStep): void {
    this.ioRunning = false;
    this.#io.buffers = [];
    const unit = this.unit;
    assert(unit !== null, "a task keeps its unit while I/O is running");
    if (this.cancelled) this.cancelledIoDone();
    else if (error !== null) this.failIo(error);
    else step(unit, this);
  }
}

const EMPTY = new Uint8Array(0);
