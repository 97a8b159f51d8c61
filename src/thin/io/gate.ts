import { assert } from "../../util/assert.ts";

/** What waits at a closed gate. It asks again to be let in when it is called: somebody before it may have closed the gate anew. */
export interface GateEntrant {
  admitted(): void;
}

export interface GateOptions {
  /** Reads, too, are held back and waited for: where what they read goes away (rollback, delete, shrink). */
  readonly reads?: boolean;
}

/**
 * A volume's gate (rule N). Whatever changes the volume, and every read, passes it and says when it is done, so that a snapshot
 * can wait until nothing that was decided before it is still on its way.
 */
export class Gate {
  #isClosed = false;
  #isClosedToReads = false;
  #changes = 0;
  #reads = 0;
  #waiting: GateEntrant[] = [];
  #onQuiet: (() => void) | null = null;
  readonly #onOpen: (() => void)[] = [];

  /** No change passes. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isClosedToReads(): boolean {
    return this.#isClosedToReads;
  }

  /** Changes that have passed and are not done. */
  get changes(): number {
    return this.#changes;
  }

  get reads(): number {
    return this.#reads;
  }

  /** False where the gate is closed: then {@link wait}. Otherwise {@link leaveChange} must follow. */
  tryEnterChange(): boolean {
    if (this.#isClosed) return false;
    this.#changes += 1;
    return true;
  }

  leaveChange(): void {
    assert(this.#changes > 0, "who leaves has entered");
    this.#changes -= 1;
    this.#noticeQuiet();
  }

  /** False where the gate is closed to reads. Otherwise {@link leaveRead} must follow. */
  tryEnterRead(): boolean {
    if (this.#isClosedToReads) return false;
    this.#reads += 1;
    return true;
  }

  leaveRead(): void {
    assert(this.#reads > 0, "who leaves has entered");
    this.#reads -= 1;
    this.#noticeQuiet();
  }

  /** Queues at a closed gate. */
  wait(entrant: GateEntrant): void {
    assert(this.#isClosed, "nobody waits at an open gate");
    this.#waiting.push(entrant);
  }

  /** Waits until nobody else has it closed, closes it, and resolves when what had passed is done. */
  close(options: GateOptions = {}): Promise<void> {
    return closeAll([this], options);
  }

  /** Lets in what waits, in the order in which it came. */
  open(): void {
    assert(this.#isClosed && this.#onQuiet === null, "a gate is opened by who closed it");
    this.#isClosed = false;
    this.#isClosedToReads = false;
    const entrants = this.#waiting;
    this.#waiting = [];
    let next = 0;
    // A request that ends here may make its owner close the gate anew: the rest goes on waiting, before those that come later.
    while (next < entrants.length && !this.#isClosed) {
      entrants[next]?.admitted();
      next += 1;
    }
    if (next < entrants.length) this.#waiting = [...entrants.slice(next), ...this.#waiting];
    for (const callback of this.#onOpen.splice(0)) callback();
  }

  /** Resolves when it is open; somebody else may have closed it again by the time that the caller runs. */
  opened(): Promise<void> {
    if (!this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onOpen.push(resolve);
    });
  }

  /** Closes it, which must be open, in this very step; resolves when what had passed is done. See {@link closeAll}. */
  closeNow(options: GateOptions): Promise<void> {
    assert(!this.#isClosed, "one at a time closes a gate");
    this.#isClosed = true;
    this.#isClosedToReads = options.reads === true;
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#noticeQuiet();
    });
  }

  #noticeQuiet(): void {
    if (this.#onQuiet === null || this.#changes > 0) return;
    if (this.#isClosedToReads && this.#reads > 0) return;
    const callback = this.#onQuiet;
    this.#onQuiet = null;
    callback();
  }
}

/**
 * Closes all gates in one step, so that two who want the same volumes cannot wait for each other and no change is seen in one volume
 * of a group and not in another (rule N). Resolves when all that had passed is done. The caller opens each of them.
 */
export async function closeAll(gates: readonly Gate[], options: GateOptions = {}): Promise<void> {
  assert(new Set(gates).size === gates.length, "a group names a volume once");
  for (;;) {
    const closed = gates.find((gate) => gate.isClosed);
    if (closed === undefined) break;
    await closed.opened();
  }
  await Promise.all(gates.map((gate) => gate.closeNow(options)));
}
