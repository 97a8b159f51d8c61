/** A piece of background work of which one runs at a time. */
export class BackgroundJob {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #running: Promise<void> | null = null;

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
    this.#running ??= this.#work()
      .catch(this.#failed)
      .finally(() => {
        this.#running = null;
      });
  }

  /** Resolves when it does not run. */
  async settled(): Promise<void> {
    await this.#running;
  }
}
