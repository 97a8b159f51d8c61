/** Events that a reader that was away for a while may still get. */
const HISTORY_MAX = 1000;

/** What they may take in memory together. */
const HISTORY_CHARS_MAX = 4 * 1024 * 1024;

/** Something that happened. */
export interface ControlEvent {
  /** Of this run of the daemon, ascending from 1; null: it is not kept, and nobody misses it. */
  readonly number: number | null;
  readonly type: string;
  /** JSON. */
  readonly data: string;
}

export type EventListener = (event: ControlEvent) => void;

/** What happens in the daemon, for readers that come and go: a bounded history, and whoever listens now. */
export class EventLog {
  /** Tells the numbers of this run from those of others. */
  readonly run: string;
  readonly #historyMax: number;
  readonly #history: ControlEvent[] = [];
  readonly #listeners = new Set<EventListener>();
  #historyChars = 0;
  #last = 0;

  constructor(run: string, historyMax: number = HISTORY_MAX) {
    this.run = run;
    this.#historyMax = historyMax;
  }

  /** The number of the newest; 0: there was none. */
  get last(): number {
    return this.#last;
  }

  /** `value` becomes JSON now: what is done to it later is not seen. */
  publish(type: string, value: object): void {
    this.#last += 1;
    const event = { number: this.#last, type, data: JSON.stringify(value) };
    this.#history.push(event);
    this.#historyChars += event.data.length;
    while (
      this.#history.length > this.#historyMax ||
      (this.#historyChars > HISTORY_CHARS_MAX && this.#history.length > 1)
    ) {
      this.#historyChars -= this.#history.shift()?.data.length ?? 0;
    }
    for (const listener of this.#listeners) listener(event);
  }

  /** For whoever listens now: what has a number and is kept would be pushed out by it. */
  tell(type: string, value: object): void {
    const event = { number: null, type, data: JSON.stringify(value) };
    for (const listener of this.#listeners) listener(event);
  }

  /** All after this number; null: some of them are not kept any more, or the number is none of this run. */
  since(number: number): readonly ControlEvent[] | null {
    const first = this.#last - this.#history.length + 1;
    if (number > this.#last || number < first - 1) return null;
    return this.#history.slice(number - first + 1);
  }

  /** Returns how to end it. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
