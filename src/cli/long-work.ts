import type { Progress } from "../control/protocol.ts";
import { Interrupt } from "./interrupt.ts";
import { say } from "./output.ts";
import { ProgressLine } from "./progress-line.ts";

/** What long work is given by whoever waits for it. */
export interface LongWork {
  readonly onProgress: (progress: Progress) => void;
  /** Ctrl-C: it is to stop, and to leave nothing behind. */
  readonly signal: AbortSignal;
  /** It cannot stop any more, and says why; Ctrl-C then ends the program, and leaves the work to whoever does it. */
  readonly onNoStop: (why: string) => void;
}

/** Does long work, shows how far it is, and has it stopped by Ctrl-C. */
export async function withLongWork<Result>(
  work: (options: LongWork) => Promise<Result>,
  line: ProgressLine = new ProgressLine(),
): Promise<Result> {
  const interrupt = new Interrupt();
  try {
    return await work({
      signal: interrupt.signal,
      onProgress: ({ step, done, total }) => line.advance(step, done, total),
      onNoStop: (why) => {
        line.end();
        say(`It goes on: ${why}.`);
        interrupt.release();
      },
    });
  } finally {
    line.end();
    interrupt.release();
  }
}
