import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../../src/device/device-filter.ts";
import { IoKind, type IoRequest } from "../../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../../src/util/random.ts";

/** Does nothing at once, and what it has in any order. Discards can be held back until they are let go. */
export class SlowDevice extends DeviceFilter {
  isHoldingDiscards = false;
  readonly discards: IoRequest[] = [];
  readonly #queue: IoRequest[] = [];
  readonly #random: SeededRandom | null;
  #isScheduled = false;

  /** Without `random`, only discards are slow. */
  constructor(below: BlockDevice, random: SeededRandom | null) {
    super(below, below.name);
    this.#random = random;
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#random === null && super.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#random === null && super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.discard && this.isHoldingDiscards) {
      this.discards.push(request);
    } else if (this.#random === null) {
      super.submit(request);
    } else {
      this.#queue.push(request);
      this.#schedule();
    }
  }

  /** The discards that were held back are done now. */
  letDiscards(): void {
    this.isHoldingDiscards = false;
    for (const request of this.discards.splice(0)) super.submit(request);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const random = this.#random;
      if (random === null) return;
      for (let count = random.between(1, 24); count > 0 && this.#queue.length > 0; count -= 1) {
        const [request] = this.#queue.splice(random.below(this.#queue.length), 1);
        if (request !== undefined) super.submit(request);
      }
      if (this.#queue.length > 0) this.#schedule();
    });
  }
}
