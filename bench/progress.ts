/** What is going on, in one line that is written over; only where somebody sees it. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number;
  readonly #startedMs: number;
  #done = 0;
  #isShown = false;

  constructor(stream: NodeJS.WriteStream, total: number, nowMs: number) {
    this.#stream = stream;
    this.#total = total;
    this.#startedMs = nowMs;
  }

  show(what: string): void {
    if (!this.#stream.isTTY) return;
    const line = progressText(this.#done, this.#total, performance.now() - this.#startedMs, what);
    this.#stream.write(`\r\x1b[K${line.slice(0, Math.max(20, this.#stream.columns - 1))}`);
    this.#isShown = true;
  }

  /** So many samples more are behind us. */
  advance(samples: number): void {
    this.#done += samples;
  }

  /** Before anything else is written to the terminal. */
  clear(): void {
    if (this.#isShown) this.#stream.write("\r\x1b[K");
    this.#isShown = false;
  }
}

/** "[12/185] what, 9 min left"; the time is what the rest takes if it goes on like this. */
export function progressText(done: number, total: number, elapsedMs: number, what: string): string {
  const count = `[${done}/${total}] ${what}`;
  if (done === 0) return count;
  const leftSeconds = ((elapsedMs / done) * (total - done)) / 1000;
  const left =
    leftSeconds < 90 ? `${Math.ceil(leftSeconds)} s` : `${Math.round(leftSeconds / 60)} min`;
  return `${count}, ${left} left`;
}
