import { assert } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { BlockDevice, DeviceTraits } from "./block-device.ts";
import { ForwardPool } from "./forwarded-request.ts";

/**
 * A range of another device as a device of its own. The range is fixed; where the device below becomes shorter than
 * that, so does the slice. Closing a slice leaves the device below open.
 */
export class DeviceSlice implements BlockDevice {
  readonly name: string;
  readonly #below: BlockDevice;
  readonly #startBytes: number;
  readonly #lengthBytes: number;
  readonly #forwards = new ForwardPool((original, error) => original.done(error));
  #isClosed = false;

  constructor(below: BlockDevice, startBytes: number, lengthBytes: number, name?: string) {
    assert(startBytes >= 0 && lengthBytes >= 0, "a slice is a range");
    assert(startBytes + lengthBytes <= below.capacityBytes, "a slice lies within its device");
    this.name = name ?? `${below.name}[${startBytes}+${lengthBytes}]`;
    this.#below = below;
    this.#startBytes = startBytes;
    this.#lengthBytes = lengthBytes;
  }

  get traits(): DeviceTraits {
    return this.#below.traits;
  }

  get capacityBytes(): number {
    const left = this.#below.capacityBytes - this.#startBytes;
    return Math.max(0, Math.min(this.#lengthBytes, left));
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#holds(offsetBytes, lengthBytes)) return false;
    const at = this.#startBytes + offsetBytes;
    return this.#below.tryRead(buffer, bufferOffset, lengthBytes, at);
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (!this.#holds(offsetBytes, lengthBytes)) return false;
    const at = this.#startBytes + offsetBytes;
    return this.#below.tryWrite(buffer, bufferOffset, lengthBytes, at);
  }

  submit(request: IoRequest): void {
    const { kind, offsetBytes, lengthBytes } = request;
    const context = { object: this.name, offsetBytes };
    if (this.#isClosed) request.done(new IoError("gone", "it is closed", context));
    else if (kind === IoKind.flush) this.#below.submit(request);
    else if (this.#holds(offsetBytes, lengthBytes)) {
      this.#below.submit(this.#forwards.take(request, this.#startBytes));
    } else request.done(new IoError("range", "the range lies past the end", context));
  }

  /** What waits below is nobody's any more: the device below refuses the writes of all its slices. */
  refuseWrites(error: IoError): void {
    this.#below.refuseWrites(error);
  }

  onFlushFailure(listener: (error: IoError) => void): () => void {
    return this.#below.onFlushFailure(listener);
  }

  async refreshCapacity(): Promise<number> {
    await this.#below.refreshCapacity();
    return this.capacityBytes;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  #holds(offsetBytes: number, lengthBytes: number): boolean {
    return !this.#isClosed && offsetBytes >= 0 && offsetBytes + lengthBytes <= this.capacityBytes;
  }
}
