import type { Progress } from "../control/protocol.ts";
import { formatSize } from "../util/units.ts";

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A terminal does not show more than this, and work should not wait for it. */
const INTERVAL_MS = 100;

/** How far long work is, in one line on the error output, as long as a terminal watches. */
export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #inBytes: boolean;
  readonly #now: () => number;
  #shownAtMs = -Infinity;
  #isShown = false;

  constructor(
    options: {
      /** What is counted are bytes. */
      readonly inBytes?: boolean;
      readonly stream?: ProgressStream;
      readonly now?: () => number;
    } = {},
  ) {
    this.#stream = options.stream ?? process.stderr;
    this.#inBytes = options.inBytes ?? false;
    this.#now = options.now ?? (() => performance.now());
  }

  advance(step: string, done: number, total: number): void {
    if (this.#stream.isTTY !== true) return;
    const nowMs = this.#now();
    if (nowMs - this.#shownAtMs < INTERVAL_MS && done < total) return;
    this.#shownAtMs = nowMs;
    this.#isShown = true;
    const percent = total > 0 ? Math.floor((done * 100) / total) : 100;
    const sizes = this.#inBytes ? `  ${formatSize(done)} of ${formatSize(total)}` : "";
    this.#stream.write(`\r${step} ${String(percent).padStart(3)} %${sizes}   `);
  }

  end(): void {
    if (this.#isShown) this.#stream.write("\n");
    this.#isShown = false;
  }
}

/** Does long work, and shows how far it is. The line has ended when the work has. */
export async function withProgressLine<Result>(
  work: (advance: (progress: Progress) => void) => Promise<Result>,
  line: ProgressLine = new ProgressLine(),
): Promise<Result> {
  try {
    return await work(({ step, done, total }) => line.advance(step, done, total));
  } finally {
    line.end();
  }
}
