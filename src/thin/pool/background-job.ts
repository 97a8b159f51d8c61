/** A piece of background work of which one runs at a time. */
export class BackgroundJob {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #running: Promise<void> | null = null;
  #isWanted = false;

  /** `failed` is told what the work rejected with; it must not throw. */
  constructor(work: () => Promise<void>, failed: (error: unknown) => void) {
    this.#work = work;
    this.#failed = failed;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Starts it unless it runs. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Starts it, or lets it run once more when it has ended: what it began with may be out of date. */
  startAgain(): void {
    if (this.#running !== null) this.#isWanted = true;
    else this.start();
  }

  /** Resolves when it does not run. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Nothing of the work is done within the call that starts it.
    await Promise.resolve();
    do {
      this.#isWanted = false;
      try {
        await this.#work();
      } catch (error) {
        this.#failed(error);
      }
    } while (this.#isWanted);
    this.#running = null;
  }
}
