import { assert } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import type { IoRequest } from "../util/io-request.ts";
import { RequestQueue } from "./request-queue.ts";
import type { Transfer, TransferEnd } from "./transfer.ts";

/** What the queue asks of the device that it works for. */
export interface TransferHost {
  readonly name: string;
  /** The descriptor for this request. */
  descriptorFor(request: IoRequest): number;
  /** Whether the request has to run while no other does. */
  runsAlone(request: IoRequest): boolean;
  /** All done with the request: account for it and report it. */
  transferred(request: IoRequest, error: IoError | null): void;
}

/**
 * Starts the reads and writes of one device in order of arrival, as many at a time as there are transfers. Whatever
 * hangs, hangs here, and takes no more threads of the pool than that.
 */
export class TransferQueue {
  readonly #host: TransferHost;
  readonly #free: Transfer[];
  readonly #waiting = new RequestQueue();
  #running = 0;
  #isAlone = false;
  #onIdle: (() => void) | null = null;

  /** `makeTransfers` builds the transfers around the callback by which they report. */
  constructor(host: TransferHost, makeTransfers: (end: TransferEnd) => Transfer[]) {
    this.#host = host;
    this.#free = makeTransfers(this.#ended);
    assert(this.#free.length > 0, "a queue without transfers would never move");
  }

  submit(request: IoRequest): void {
    this.#waiting.push(request);
    this.#startWaiting();
  }

  /** Calls back when nothing runs or waits; at once if so. */
  whenIdle(callback: () => void): void {
    if (this.#running === 0 && this.#waiting.length === 0) callback();
    else this.#onIdle = callback;
  }

  readonly #ended = (transfer: Transfer, request: IoRequest, error: IoError | null): void => {
    this.#free.push(transfer);
    this.#running -= 1;
    this.#isAlone = false;
    this.#startWaiting();
    this.#host.transferred(request, error);
    if (this.#onIdle === null || this.#running > 0 || this.#waiting.length > 0) return;
    const callback = this.#onIdle;
    this.#onIdle = null;
    callback();
  };

  #startWaiting(): void {
    while (!this.#isAlone) {
      const request = this.#waiting.peek();
      if (request === undefined) return;
      if (request.abandoned) {
        this.#waiting.shift();
        const { name: object } = this.#host;
        const error = new IoError("gone", "nobody wants it any more", { object });
        this.#host.transferred(request, error);
        continue;
      }
      const alone = this.#host.runsAlone(request);
      if (alone && this.#running > 0) return;
      const transfer = this.#free.pop();
      if (transfer === undefined) return;
      this.#waiting.shift();
      this.#running += 1;
      this.#isAlone = alone;
      transfer.start(request, this.#host.descriptorFor(request));
    }
  }
}
