import type { Clock } from "../../util/clock.ts";
import { OperationError } from "../protocol.ts";
import { endsWithin } from "../within.ts";

/** How long a change waits for those before it: longer than a disk that hangs, or a program that asks for it, has patience. */
const WAIT_MS_MAX = 60_000;

/** How many changes may wait: more than any administrator's script has under way, and few enough to say no at once to one that runs wild. */
const WAITING_MAX = 1000;

const MS_PER_SECOND = 1000;

export interface TurnOptions {
  /** It waits as long as it takes: nobody would ask for it again. */
  readonly isPatient?: boolean;
}

/** Who has the turn. */
interface Running {
  readonly what: string;
  readonly sinceMs: number;
}

/** Changes, one after the other. One that waits for too long is refused, and not begun later behind the back of who has asked for it. */
export class ChangeQueue {
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();
  #running: Running | null = null;
  #waiting = 0;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing begins any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Does something when all before it has ended.
   *
   * @param what for those that wait: an operation and who has asked for it
   * @throws {OperationError} busy: the daemon ends, or others take too long
   */
  async run<T>(
    what: string,
    action: () => Promise<T>,
    { isPatient = false }: TurnOptions = {},
  ): Promise<T> {
    if (!isPatient && this.#waiting >= WAITING_MAX) throw this.#tooMuch("too many changes wait");
    this.#waiting += 1;
    let isLate = false;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const turn = this.#last.then(async () => {
      this.#waiting -= 1;
      begin();
      // Whoever has asked was told no, and may have asked for something else since.
      if (isLate) throw new OperationError("busy", "it has waited for too long");
      if (this.#isClosed) throw new OperationError("busy", "the daemon is stopping");
      this.#running = { what, sinceMs: this.#clock.nowMs() };
      try {
        return await action();
      } finally {
        this.#running = null;
      }
    });
    this.#last = turn.catch(() => undefined);
    if (isPatient || (await endsWithin(this.#clock, WAIT_MS_MAX, begun))) return turn;
    isLate = true;
    throw this.#tooMuch("not done");
  }

  /** Resolves when what runs has ended. What waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }

  #tooMuch(consequence: string): OperationError {
    const running = this.#running;
    if (running === null) return new OperationError("busy", `${consequence}: ask again later`);
    const seconds = Math.round((this.#clock.nowMs() - running.sinceMs) / MS_PER_SECOND);
    const message = `${running.what} has been running for ${seconds} s: ${consequence}; ask again when that has ended`;
    return new OperationError("busy", message);
  }
}
