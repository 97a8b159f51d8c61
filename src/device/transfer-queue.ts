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
  /** Why a request that waited is not begun any more; null: it is. */
  refusal(request: IoRequest): IoError | null;
  /** All done with the request: account for it and report it. */
  transferred(request: IoRequest, error: IoError | null): void;
}

/**
 * Starts the reads and writes of one device in order of arrival, as many at a time as there are transfers. Whatever
 * hangs, hangs here, and takes no more threads of the pool than that. What is urgent goes before all that waits, and has
 * transfers that nothing else takes: a device that is busy is not one that is dead.
 */
export class TransferQueue {
  readonly #host: TransferHost;
  readonly #free: Transfer[];
  readonly #waiting = new RequestQueue();
  readonly #urgent = new RequestQueue();
  /** So many others run at a time. */
  readonly #ordinaryMax: number;
  #running = 0;
  #runningUrgent = 0;
  #isAlone = false;
  #onIdle: (() => void) | null = null;

  /** `makeTransfers` builds the transfers around the callback by which they report; so many of them are for what is urgent. */
  constructor(
    host: TransferHost,
    makeTransfers: (end: TransferEnd) => Transfer[],
    urgentTransfers: number,
  ) {
    this.#host = host;
    this.#free = makeTransfers(this.#ended);
    this.#ordinaryMax = this.#free.length - urgentTransfers;
    assert(this.#ordinaryMax > 0, "a queue without transfers would never move");
  }

  submit(request: IoRequest): void {
    if (request.isUrgent) this.#urgent.push(request);
    else this.#waiting.push(request);
    this.#startWaiting();
  }

  get #waitingCount(): number {
    return this.#waiting.length + this.#urgent.length;
  }

  /** Calls back when nothing runs or waits; at once if so. */
  whenIdle(callback: () => void): void {
    if (this.#running === 0 && this.#waitingCount === 0) callback();
    else this.#onIdle = callback;
  }

  readonly #ended = (transfer: Transfer, request: IoRequest, error: IoError | null): void => {
    this.#free.push(transfer);
    this.#running -= 1;
    if (request.isUrgent) this.#runningUrgent -= 1;
    this.#isAlone = false;
    this.#startWaiting();
    this.#host.transferred(request, error);
    if (this.#onIdle === null || this.#running > 0 || this.#waitingCount > 0) return;
    const callback = this.#onIdle;
    this.#onIdle = null;
    callback();
  };

  #startWaiting(): void {
    while (!this.#isAlone) {
      const queue = this.#urgent.length > 0 ? this.#urgent : this.#waiting;
      const request = queue.peek();
      if (request === undefined) return;
      const refusal = this.#refusal(request);
      if (refusal !== null) {
        queue.shift();
        this.#host.transferred(request, refusal);
        continue;
      }
      const alone = this.#host.runsAlone(request);
      if (alone && this.#running > 0) return;
      const ordinary = this.#running - this.#runningUrgent;
      if (!request.isUrgent && ordinary >= this.#ordinaryMax) return;
      const transfer = this.#free.pop();
      if (transfer === undefined) return;
      queue.shift();
      this.#running += 1;
      if (request.isUrgent) this.#runningUrgent += 1;
      this.#isAlone = alone;
      transfer.start(request, this.#host.descriptorFor(request));
    }
  }

  #refusal(request: IoRequest): IoError | null {
    const refusal = this.#host.refusal(request);
    if (refusal !== null || !request.abandoned) return refusal;
    return new IoError("gone", "nobody wants it any more", { object: this.#host.name });
  }
}
