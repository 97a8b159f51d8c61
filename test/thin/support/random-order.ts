import type { IoRequest } from "../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../src/util/random.ts";

/** Requests that a device has put off: they are done turn by turn, some at a time, in random order. */
export class RandomOrder {
  readonly waiting: IoRequest[] = [];
  /** While it is set, none is done. */
  isHeld = false;
  readonly #random: SeededRandom | null;
  readonly #atATime: number;
  readonly #submit: (request: IoRequest) => void;
  #isScheduled = false;

  /** Without `random`, requests wait until they are taken out. At most `atATime` of them are done in one turn. */
  constructor(random: SeededRandom | null, atATime: number, submit: (request: IoRequest) => void) {
    this.#random = random;
    this.#atATime = atATime;
    this.#submit = submit;
  }

  add(request: IoRequest): void {
    this.waiting.push(request);
    this.#schedule();
  }

  /** All of them, in the order in which they came. */
  doAll(): void {
    this.isHeld = false;
    for (const request of this.waiting.splice(0)) this.#submit(request);
  }

  #schedule(): void {
    const random = this.#random;
    if (this.#isScheduled || random === null) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.isHeld) return;
      for (let count = random.between(1, this.#atATime); count > 0; count -= 1) {
        if (this.waiting.length === 0) return;
        const [request] = this.waiting.splice(random.below(this.waiting.length), 1);
        if (request !== undefined) this.#submit(request);
      }
      if (this.waiting.length > 0) this.#schedule();
    });
  }
}
