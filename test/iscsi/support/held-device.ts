import type { BlockDevice, DeviceTraits } from "../../../src/device/block-device.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { IoError } from "../../../src/util/io-error.ts";
import type { IoRequest } from "../../../src/util/io-request.ts";

/** A memory disk where nothing is resident, and where operations wait until the test lets them go. */
export class HeldDevice implements BlockDevice {
  readonly name: string = "held";
  /** False: operations are performed as they come. */
  holding = true;
  readonly held: IoRequest[] = [];
  readonly #memory: MemoryDevice;

  constructor(capacityBytes: number) {
    this.#memory = new MemoryDevice(capacityBytes);
  }

  get traits(): DeviceTraits {
    return this.#memory.traits;
  }

  get capacityBytes(): number {
    return this.#memory.capacityBytes;
  }

  tryRead(): boolean {
    return false;
  }

  tryWrite(): boolean {
    return false;
  }

  submit(request: IoRequest): void {
    if (this.holding) this.held.push(request);
    else this.#memory.submit(request);
  }

  /** Performs everything that waits, and what comes of it, and from now on all else. */
  release(): void {
    this.holding = false;
    for (const request of this.held.splice(0)) this.#memory.submit(request);
  }

  refuseWrites(error: IoError): void {
    this.#memory.refuseWrites(error);
  }

  onFlushFailure(): () => void {
    return this.#memory.onFlushFailure();
  }

  refreshCapacity(): Promise<number> {
    return this.#memory.refreshCapacity();
  }

  close(): Promise<void> {
    return this.#memory.close();
  }
}
