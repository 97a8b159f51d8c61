import { assert } from "../util/assert.ts";

/**
 * Buffers of one size that are lent and given back, last in first out, so that the one that is still in the processor's
 * cache goes out first. It never says no: whoever borrows has a limit of its own.
 */
export class BufferPool {
  readonly bufferBytes: number;
  readonly #freeMax: number;
  readonly #free: Buffer[] = [];
  #lentCount = 0;

  constructor(bufferBytes: number, freeMax: number) {
    this.bufferBytes = bufferBytes;
    this.#freeMax = freeMax;
  }

  /** How many are out. */
  get lentCount(): number {
    return this.#lentCount;
  }

  /** Content is whatever it was: borrowers send only what they wrote. */
  lease(): Buffer {
    this.#lentCount += 1;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
  }

  release(buffer: Buffer): void {
    assert(buffer.length === this.bufferBytes, "a buffer goes back to the pool it came from");
    assert(this.#lentCount > 0, "a buffer is given back once");
    this.#lentCount -= 1;
    if (this.#free.length < this.#freeMax) this.#free.push(buffer);
  }
}
