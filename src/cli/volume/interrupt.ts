import { OperationError } from "../../control/protocol.ts";

/** Lets work that runs in pieces end in order when somebody types Ctrl-C, so that nothing half done stays behind. */
export class Interrupt {
  #isAsked = false;
  readonly #onSignal = (): void => {
    this.#isAsked = true;
  };

  constructor() {
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  /** @throws {OperationError} it was interrupted */
  check(): void {
    if (this.#isAsked) throw new OperationError("failed", "interrupted; nothing was left behind");
  }

  release(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }
}
