import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { DeviceFilter } from "../../../../src/device/device-filter.ts";
import { IoKind, type IoRequest } from "../../../../src/util/io-request.ts";
import type { SeededRandom } from "../../../../src/util/random.ts";
import { RandomOrder } from "../../support/random-order.ts";

/** Does nothing at once, and what it has in any order. Discards can be held back until they are let go. */
export class SlowDevice extends DeviceFilter {
  isHoldingDiscards = false;
  readonly discards: IoRequest[] = [];
  readonly #later: RandomOrder | null;

  /** Without `random`, only discards are slow. */
  constructor(below: BlockDevice, random: SeededRandom | null) {
    super(below, below.name);
    this.#later =
      random === null ? null : new RandomOrder(random, 24, (request) => super.submit(request));
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#later === null && super.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#later === null && super.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    if (request.kind === IoKind.discard && this.isHoldingDiscards) {
      this.discards.push(request);
    } else if (this.#later === null) super.submit(request);
    else this.#later.add(request);
  }

  /** The discards that were held back are done now. */
  letDiscards(): void {
    this.isHoldingDiscards = false;
    for (const request of this.discards.splice(0)) super.submit(request);
  }
}
