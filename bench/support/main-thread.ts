import { openSync, readSync } from "node:fs";

/** `/proc/thread-self/schedstat` of the thread that loads this: time on a CPU, time in the queue for one, turns; nanoseconds. */
const descriptor = openSync("/proc/thread-self/schedstat", "r");
const text = Buffer.alloc(64);
const NS_PER_MS = 1e6;

/** How long this thread has been ready to run while others had the CPUs, in milliseconds: grows with the load of the machine, not with our work. */
export function queuedMs(): number {
  const length = readSync(descriptor, text, 0, text.length, 0);
  return Number(text.toString("latin1", 0, length).split(" ")[1]) / NS_PER_MS;
}

/** Watches how long turns of the event loop take, but for the time in which others had the CPUs. */
export class LoopMeter {
  #longestMs = 0;
  #atMs = performance.now();
  #queuedMs: number = queuedMs();

  constructor() {
    setInterval(() => this.#tick(), 1).unref();
  }

  /** The longest time between two ticks of a millisecond since the last call, in milliseconds. */
  takeLongestMs(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }

  #tick(): void {
    const nowMs = performance.now();
    const nowQueuedMs = queuedMs();
    const turnMs = nowMs - this.#atMs - (nowQueuedMs - this.#queuedMs);
    this.#longestMs = Math.max(this.#longestMs, turnMs);
    this.#atMs = nowMs;
    this.#queuedMs = nowQueuedMs;
  }
}
