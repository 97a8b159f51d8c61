/** A management operation on its way: the volumes that it changes, and those that it only reads. */
export interface Turn {
  readonly changed: readonly number[];
  readonly read: readonly number[];
  /** All that must come before it have ended. */
  hasBegun: boolean;
}

/**
 * The order of operations that are under way at the same time: one that changes a volume comes before or after each other one on it,
 * as they were asked for. What they have in common is only read: then they have no order.
 */
export class Turns {
  /** In the order in which they were asked for, and what is to be done when each begins. */
  readonly #waiting: Map<Turn, () => void> = new Map();

  /** Calls `begin` when it is its turn: at once where nothing is before it. */
  ask(changed: readonly number[], read: readonly number[], begin: () => void): Turn {
    const turn: Turn = { changed, read, hasBegun: false };
    this.#waiting.set(turn, begin);
    this.#beginAll();
    return turn;
  }

  end(turn: Turn): void {
    this.#waiting.delete(turn);
    this.#beginAll();
  }

  #beginAll(): void {
    const before: Turn[] = [];
    for (const [turn, begin] of this.#waiting) {
      const isNext = !before.some((other) => conflict(turn, other));
      before.push(turn);
      if (!isNext || turn.hasBegun) continue;
      turn.hasBegun = true;
      begin();
    }
  }
}

function conflict(a: Turn, b: Turn): boolean {
  return (
    a.changed.some((volume) => b.changed.includes(volume) || b.read.includes(volume)) ||
    a.read.some((volume) => b.changed.includes(volume))
  );
}
