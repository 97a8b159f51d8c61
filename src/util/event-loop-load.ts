import { performance } from "node:perf_hooks";

/** A share looked at over less than this, in milliseconds, says little. */
const WINDOW_MS = 20;

/** Above this share of its time the event loop is busy: what can wait would be felt. Of 1. */
const BUSY_SHARE = 0.5;

/** What is asked of `perf_hooks`. */
export type Utilization = Pick<typeof performance, "eventLoopUtilization" | "now">;

/** Whether the program has much to do: work that nobody waits for is put off then. */
export class EventLoopLoad {
  readonly #source: Utilization;
  #before: ReturnType<Utilization["eventLoopUtilization"]>;
  #lookedAtMs: number;
  #isBusy = false;

  constructor(source: Utilization = performance) {
    this.#source = source;
    this.#before = source.eventLoopUtilization();
    this.#lookedAtMs = source.now();
  }

  /** Of the time since it was asked last, where that is long enough to tell; otherwise what it was then. */
  get isBusy(): boolean {
    const nowMs = this.#source.now();
    if (nowMs - this.#lookedAtMs >= WINDOW_MS) {
      const now = this.#source.eventLoopUtilization();
      this.#isBusy = this.#source.eventLoopUtilization(now, this.#before).utilization > BUSY_SHARE;
      this.#before = now;
      this.#lookedAtMs = nowMs;
    }
    return this.#isBusy;
  }
}
