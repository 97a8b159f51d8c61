import { LatencyHistogram } from "./latency-histogram.ts";
import { OPERATION_CLASSES, type OperationClass } from "./operation-class.ts";

/** What is counted of each class of operations, by its place in the array of counters. */
const Field = {
  submitted: 0,
  submittedBytes: 1,
  answered: 2,
  answeredBytes: 3,
  movedBytes: 4,
  errors: 5,
  aborted: 6,
} as const;
const FIELDS = Object.keys(Field).length;

/** What was counted of the operations of one class. */
export interface OperationCounts {
  /** Commands that came, and what their initiators expected to move. */
  readonly submitted: number;
  readonly submittedBytes: number;
  /** Commands that were answered, whatever the status, and what their initiators had expected to move. */
  readonly answered: number;
  readonly answeredBytes: number;
  /** Data that commands with GOOD status moved. */
  readonly movedBytes: number;
  /** Answers with another status than GOOD. */
  readonly errors: number;
  /** Commands that never got an answer. What is neither answered nor aborted is at work. */
  readonly aborted: number;
}

/**
 * What commands did on one logical unit. All counters only grow, and are exact to 2^53. The hot path adds to cells of
 * typed arrays and does nothing else.
 *
 * Commands that are answered in the turn in which they came have one latency in common, which is known when the turn's
 * answers are handed over: they are counted by {@link defer} until {@link settle} says how long it was.
 */
export class UnitStatistics {
  readonly latencies: LatencyHistogram = new LatencyHistogram(OPERATION_CLASSES);
  /** Commands that failed because the volume did. */
  mediumErrors = 0;
  readonly #cells: Float64Array = new Float64Array(OPERATION_CLASSES * FIELDS);
  readonly #deferred: Int32Array = new Int32Array(OPERATION_CLASSES);
  #deferredCount = 0;

  submit(operation: OperationClass, expectedBytes: number): void {
    const cells = this.#cells;
    const at = operation * FIELDS;
    cells[at + Field.submitted]! += 1;
    cells[at + Field.submittedBytes]! += expectedBytes;
  }

  answer(
    operation: OperationClass,
    expectedBytes: number,
    movedBytes: number,
    good: boolean,
  ): void {
    const cells = this.#cells;
    const at = operation * FIELDS;
    cells[at + Field.answered]! += 1;
    cells[at + Field.answeredBytes]! += expectedBytes;
    if (good) cells[at + Field.movedBytes]! += movedBytes;
    else cells[at + Field.errors]! += 1;
  }

  abort(operation: OperationClass): void {
    this.#cells[operation * FIELDS + Field.aborted]! += 1;
  }

  /** An answer whose latency {@link settle} tells. True where it is the first one since then. */
  defer(operation: OperationClass): boolean {
    this.#deferred[operation]! += 1;
    this.#deferredCount += 1;
    return this.#deferredCount === 1;
  }

  settle(ms: number): void {
    this.#deferredCount = 0;
    const deferred = this.#deferred;
    for (let operation = 0; operation < OPERATION_CLASSES; operation += 1) {
      const count = deferred[operation]!;
      if (count === 0) continue;
      deferred[operation] = 0;
      this.latencies.record(operation, ms, count);
    }
  }

  /** A copy of the counters. */
  counts(operation: OperationClass): OperationCounts {
    const cell = (field: number): number => this.#cells[operation * FIELDS + field] ?? 0;
    return {
      submitted: cell(Field.submitted),
      submittedBytes: cell(Field.submittedBytes),
      answered: cell(Field.answered),
      answeredBytes: cell(Field.answeredBytes),
      movedBytes: cell(Field.movedBytes),
      errors: cell(Field.errors),
      aborted: cell(Field.aborted),
    };
  }

  add(other: UnitStatistics): void {
    for (const [index, value] of other.#cells.entries()) this.#cells[index]! += value;
    this.latencies.add(other.latencies);
    this.mediumErrors += other.mediumErrors;
  }
}
