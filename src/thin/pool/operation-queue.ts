/**
 * Runs the operations that manage a pool one after another: what an operation has checked is still true when it appends
 * its record, and one device is added at a time (rule G).
 */
export class OperationQueue {
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Runs `operation` when all before it have ended, however they ended. Rejects with `refusal` once the queue is closed. */
  run<Result>(operation: () => Promise<Result>, refusal: () => Error): Promise<Result> {
    if (this.#isClosed) return Promise.reject(refusal());
    const result = this.#last.then(operation);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Takes nothing more; resolves when what was taken has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }
}
