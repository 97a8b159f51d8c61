import { assert } from "../util/assert.ts";
import type { IoRequest } from "../util/io-request.ts";

const INITIAL_SLOTS = 16;

function emptyRing(slots: number): (IoRequest | undefined)[] {
  return Array.from({ length: slots }, () => undefined);
}

/**
 * Requests in order of arrival, in a ring whose size is a power of two. It grows with what the callers submit, and they
 * bound that: a target by its command window.
 */
export class RequestQueue {
  #ring: (IoRequest | undefined)[] = emptyRing(INITIAL_SLOTS);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(request: IoRequest): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = request;
    this.#length += 1;
  }

  /** The oldest, which stays. */
  peek(): IoRequest | undefined {
    return this.#ring[this.#head];
  }

  /** Takes the oldest; undefined when empty. */
  shift(): IoRequest | undefined {
    if (this.#length === 0) return undefined;
    const request = this.#ring[this.#head];
    assert(request !== undefined, "a ring holds what was put in");
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return request;
  }

  #grow(): void {
    const ring = emptyRing(this.#ring.length * 2);
    for (let index = 0; index < this.#length; index += 1) {
      ring[index] = this.#ring[(this.#head + index) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#head = 0;
  }
}
