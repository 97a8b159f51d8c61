import { OperationError } from "../control/protocol.ts";

/** Lets long work end in order when somebody types Ctrl-C, so that nothing half done stays behind. */
export class Interrupt {
  readonly #abort = new AbortController();
  readonly #onSignal = (): void => {
    this.#abort.abort(new OperationError("failed", "interrupted; nothing was left behind"));
  };

  constructor() {
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  /** Aborted when it is asked for. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** From now on Ctrl-C ends the program, as it does without this. */
  release(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }
}
